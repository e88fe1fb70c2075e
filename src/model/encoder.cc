#include "model/encoder.h"

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "model/decoder.h"
#include "model/schema.h"
#include "sardonyx/error.h"

namespace sardonyx::model {
namespace {

// Fields of a message whose presence does not follow from their value alone.
struct Marks {
  Presence written;  // although equal to the default
  Presence omitted;  // although different from it
};

Marks marks_of(const Message& message) { return {message.presence, {}}; }

Marks marks_of(const Attribute& attribute) {
  Marks marks{attribute.presence, {}};
  if (attribute.presence.has(Attribute::kTypeLeftOut) && attribute.type == inferred_type(attribute)) marks.omitted.set(20);
  if (!attribute.ref_attr_name.empty() || attribute.presence.has(Attribute::kValueLeftOut)) return marks;
  if (attribute.type == Attribute::Type::kFloat) marks.written.set(2);
  if (attribute.type == Attribute::Type::kInt) marks.written.set(3);
  if (attribute.type == Attribute::Type::kString) marks.written.set(4);
  return marks;
}

// `Out` is wire::SizeCounter or wire::Writer.
template <class Out>
class FieldWriter {
 public:
  FieldWriter(Out& out, const Replacements& replacements, const Marks& marks) : out_(out), replacements_(replacements), marks_(marks) {}

  void field(int number, const char*, int64_t member) { integer(number, member); }
  void field(int number, const char*, int32_t member) { integer(number, member); }
  template <class E>
  requires std::is_enum_v<E>
  void field(int number, const char*, E member) { integer(number, static_cast<int32_t>(member)); }
  void field(int number, const char*, float member) {
    const auto bits = std::bit_cast<uint32_t>(member);
    if (is_written(number, bits != 0)) out_.fixed32(tag(number), bits);
  }
  void field(int number, const char*, const std::string& member) {
    if (is_written(number, !member.empty())) out_.bytes(tag(number), member);
  }
  void field(int number, const char*, const Bytes& member) {
    if (is_written(number, !member.empty())) out_.bytes(tag(number), member.text());
  }
  void field(int number, const char*, const std::vector<std::string>& member) {
    for (const std::string& entry : member) out_.bytes(tag(number), entry);
  }
  void field(int number, const char*, const std::vector<Bytes>& member) {
    for (const Bytes& entry : member) out_.bytes(tag(number), entry.text());
  }
  void field(int number, const char*, const std::vector<int64_t>& member) {
    for (const int64_t entry : member) out_.varint(tag(number), static_cast<uint64_t>(entry));
  }
  void field(int number, const char*, const std::vector<float>& member) {
    for (const float entry : member) out_.fixed32(tag(number), std::bit_cast<uint32_t>(entry));
  }
  template <class T>
  void packed(int number, const char*, const std::vector<T>& member) {
    if (member.empty()) return;
    out_.nested(tag(number), [&] {
      if constexpr (std::is_floating_point_v<T>) {
        out_.bare_bytes({reinterpret_cast<const char*>(member.data()), member.size() * sizeof(T)});
      } else {
        for (const T entry : member) out_.bare_varint(static_cast<uint64_t>(static_cast<int64_t>(entry)));
      }
    });
  }

  template <IsMessage M>
  void field(int number, const char*, const M& member) {
    if (is_written(number, !(member == M{}))) nested(number, member);
  }
  template <IsMessage M>
  void field(int number, const char*, bool has, const M& member) {
    if (has) nested(number, member);
  }
  template <class M>
  void field(int number, const char*, const std::shared_ptr<M>& member) {
    if (member) nested(number, *member);
  }
  template <IsMessage M>
  void field(int number, const char*, const std::vector<M>& member) {
    for (const M& entry : member) nested(number, entry);
  }
  template <IsMessage M>
  void field(int number, const char*, const std::vector<std::shared_ptr<M>>& member) {
    for (const std::shared_ptr<M>& entry : member) nested(number, *entry);
  }

  template <class T, class Variant>
  void one_of(int number, const char*, const Variant& member) {
    const T* value = std::get_if<T>(&member);
    if (value == nullptr) return;
    if constexpr (std::same_as<T, int64_t>) {
      out_.varint(tag(number), static_cast<uint64_t>(*value));
    } else if constexpr (std::same_as<T, std::string>) {
      out_.bytes(tag(number), *value);
    } else {
      nested(number, *value);
    }
  }

 private:
  static uint32_t tag(int number) { return static_cast<uint32_t>(number); }
  bool is_written(int number, bool is_set) const { return (is_set || marks_.written.has(number)) && !marks_.omitted.has(number); }
  void integer(int number, int64_t value) {
    if (is_written(number, value != 0)) out_.varint(tag(number), static_cast<uint64_t>(value));
  }
  template <class M>
  void nested(int number, const M& member);

  Out& out_;
  const Replacements& replacements_;
  Marks marks_;
};

template <class Out, class M>
void write(Out& out, const M& message, const Replacements& replacements) {
  FieldWriter<Out> writer(out, replacements, marks_of(message));
  fields(writer, message);
  out.bare_bytes(message.unknown.text());
}

template <class Out>
template <class M>
void FieldWriter<Out>::nested(int number, const M& member) {
  const M* written = &member;
  if constexpr (std::same_as<M, TensorData>) {
    if (const auto found = replacements_.find(&member); found != replacements_.end()) written = &found->second;
  }
  out_.nested(tag(number), [&] { write(out_, *written, replacements_); });
}

// Calls prepare(size) before the first piece.
template <class M, class Prepare>
void encode_any(const M& message, const Replacements& replacements, const wire::Writer::Sink& sink, Prepare&& prepare) {
  wire::SizeCounter counter;
  write(counter, message, replacements);
  if (counter.total() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    throw Error(ErrorCode::kResourceLimit, "the protobuf would have " + std::to_string(counter.total()) +
                                               " bytes, and 2 GiB are the most: move large tensors to external data");
  }
  prepare(counter.total());
  wire::Writer writer(counter.lengths(), sink);
  write(writer, message, replacements);
  writer.flush();
}

template <class M>
std::string string_of(const M& message) {
  std::string bytes;
  encode_any(
      message, {}, [&](std::string_view piece) { bytes.append(piece); }, [&](size_t size) { bytes.reserve(size); });
  return bytes;
}

}  // namespace

void encode_message(const Model& message, const Replacements& replacements, const wire::Writer::Sink& sink) {
  encode_any(message, replacements, sink, [](size_t) {});
}
void encode_message(const TensorData& message, const wire::Writer::Sink& sink) {
  encode_any(message, {}, sink, [](size_t) {});
}
std::string encode_to_string(const Model& message) { return string_of(message); }
std::string encode_to_string(const TensorData& message) { return string_of(message); }

}  // namespace sardonyx::model
