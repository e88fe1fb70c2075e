#include "model/decoder.h"

#include <bit>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "model/schema.h"
#include "model/value_messages.h"
#include "sardonyx/error.h"
#include "wire/reader.h"

namespace sardonyx::model {
namespace {

using wire::WireType;

bool is_default(float value) { return std::bit_cast<uint32_t>(value) == 0; }
template <class T>
bool is_default(const T& value) {
  return value == T{};
}

class Decoder {
 public:
  Decoder(const ReadLimits& limits, const std::shared_ptr<const void>& owner, const char* origin)
      : budget_({limits.max_depth, limits.max_messages, limits.max_elements, limits.max_memory}), owner_(owner), origin_(origin) {}

  template <class M>
  void read(M& message, std::string_view bytes);

  wire::Budget& budget() { return budget_; }
  const char* origin() const { return origin_; }
  Bytes view(std::string_view bytes) const { return Bytes::view(owner_, bytes); }
  std::string text(std::string_view bytes) {
    budget_.take_memory(bytes.size());
    return std::string(bytes);
  }

 private:
  void keep_unknown(Message& message, const std::vector<std::string_view>& pieces);

  wire::Budget budget_;
  const std::shared_ptr<const void>& owner_;
  const char* origin_;
};

// Offers one field of the wire to the fields of a message; the one with its number takes it, if the wire type fits.
class FieldReader {
 public:
  // `rest`: what follows `in`.
  FieldReader(Decoder& decoder, const wire::Field& in, const wire::Reader& rest, Presence& presence)
      : decoder_(decoder), in_(in), rest_(rest), presence_(presence) {}
  bool taken() const { return taken_; }

  void field(int number, const char*, int64_t& member) {
    if (takes(number, WireType::kVarint)) store(member, static_cast<int64_t>(in_.value));
  }
  void field(int number, const char*, int32_t& member) {
    if (takes(number, WireType::kVarint)) store(member, static_cast<int32_t>(in_.value));
  }
  void field(int number, const char*, float& member) {
    if (takes(number, WireType::kFixed32)) store(member, std::bit_cast<float>(static_cast<uint32_t>(in_.value)));
  }
  void field(int number, const char*, std::string& member) {
    if (takes(number, WireType::kBytes)) store(member, decoder_.text(in_.bytes));
  }
  void field(int number, const char*, Bytes& member) {
    if (takes(number, WireType::kBytes)) store(member, decoder_.view(in_.bytes));
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(int number, const char*, E& member) {
    const auto value = static_cast<int32_t>(in_.value);
    if (number == static_cast<int>(in_.number) && value >= 0 && value <= last_of(E{}) && takes(number, WireType::kVarint)) {
      store(member, static_cast<E>(value));
    }
  }
  void field(int number, const char*, std::vector<std::string>& member) {
    if (!takes(number, WireType::kBytes)) return;
    decoder_.budget().take_elements(1, sizeof(std::string));
    member.push_back(decoder_.text(in_.bytes));
  }
  void field(int number, const char*, std::vector<Bytes>& member) {
    if (!takes(number, WireType::kBytes)) return;
    decoder_.budget().take_elements(1, sizeof(Bytes));
    member.push_back(decoder_.view(in_.bytes));
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void field(int number, const char*, std::vector<T>& member) {
    constexpr WireType kSingle = std::is_integral_v<T> ? WireType::kVarint : sizeof(T) == 4 ? WireType::kFixed32 : WireType::kFixed64;
    if (takes(number, kSingle)) {
      decoder_.budget().take_elements(1, sizeof(T));
      member.push_back(single<T>());
    } else if (takes(number, WireType::kBytes)) {
      wire::read_packed(in_.bytes, decoder_.origin(), decoder_.budget(), member);
    }
  }
  template <class T>
  void packed(int number, const char* name, std::vector<T>& member) {
    field(number, name, member);
  }

  template <IsMessage M>
  void field(int number, const char* name, M& member) {
    if (!takes(number, WireType::kBytes)) return;
    nested(member, name);
    note_default(number, is_default(member));
  }
  template <IsMessage M>
  void field(int number, const char* name, bool& has, M& member) {
    if (!takes(number, WireType::kBytes)) return;
    has = true;
    nested(member, name);
  }
  template <class M>
  void field(int number, const char* name, std::shared_ptr<M>& member) {
    if (!takes(number, WireType::kBytes)) return;
    using Mutable = std::remove_const_t<M>;
    if (!member) member = std::make_shared<Mutable>();
    // Until the reader returns, nobody else holds what it made.
    nested(*std::const_pointer_cast<Mutable>(member), name);
  }
  template <IsMessage M>
  void field(int number, const char* name, std::vector<M>& member) {
    if (!takes(number, WireType::kBytes)) return;
    if (member.empty()) reserve_run(member);
    M& entry = member.emplace_back();
    nested(entry, name, member.size());
  }
  template <IsMessage M>
  void field(int number, const char* name, std::vector<std::shared_ptr<M>>& member) {
    if (!takes(number, WireType::kBytes)) return;
    M& entry = *member.emplace_back(std::make_shared<M>());
    nested(entry, name, member.size());
  }

  template <class T, class Variant>
  void one_of(int number, const char* name, Variant& member) {
    if constexpr (std::same_as<T, int64_t>) {
      if (takes(number, WireType::kVarint)) member = static_cast<int64_t>(in_.value);
    } else if (takes(number, WireType::kBytes)) {
      if constexpr (std::same_as<T, std::string>) {
        member = decoder_.text(in_.bytes);
      } else {
        if (!std::holds_alternative<T>(member)) member = T{};
        nested(std::get<T>(member), name);
      }
    }
  }

 private:
  // Room for the entries that stand one after the other, which is all of them in files as they are usually written.
  template <class M>
  void reserve_run(std::vector<M>& member) {
    const size_t count = 1 + rest_.count_run(in_.number);
    decoder_.budget().expect_memory(count, sizeof(M));
    member.reserve(count);
  }
  bool takes(int number, WireType type) {
    if (static_cast<int>(in_.number) != number || in_.type != type) return false;
    taken_ = true;
    return true;
  }
  void note_default(int number, bool is_default_now) {
    if (is_default_now) {
      presence_.set(number);
    } else {
      presence_.clear(number);
    }
  }
  template <class T>
  void store(T& member, T value) {
    member = std::move(value);
    note_default(static_cast<int>(in_.number), is_default(member));
  }
  template <class T>
  T single() const {
    if constexpr (std::is_integral_v<T>) return static_cast<T>(in_.value);
    if constexpr (std::same_as<T, float>) return std::bit_cast<float>(static_cast<uint32_t>(in_.value));
    if constexpr (std::same_as<T, double>) return std::bit_cast<double>(in_.value);
  }
  // `count`: for an entry of a list, its place counted from 1.
  template <class M>
  void nested(M& member, const char* name, size_t count = 0) {
    try {
      decoder_.read(member, in_.bytes);
    } catch (Error& error) {
      error.prepend(count == 0 ? std::string(name) : std::string(name) + "[" + std::to_string(count - 1) + "]");
      throw;
    }
  }

  Decoder& decoder_;
  const wire::Field& in_;
  const wire::Reader& rest_;
  Presence& presence_;
  bool taken_ = false;
};

void finish(Message&) {}

// Leaves the marks of `attribute` as the header describes them.
void finish(Attribute& attribute) {
  Presence& presence = attribute.presence;
  if (attribute.type == Attribute::Type::kUndefined && !presence.has(20)) {
    attribute.type = inferred_type(attribute);
    if (attribute.type != Attribute::Type::kUndefined) presence.set(Attribute::kTypeLeftOut);
    return;
  }
  if (!attribute.ref_attr_name.empty()) return;
  const auto implied = [&](Attribute::Type type, int number, bool value_is_default) {
    if (attribute.type != type || !value_is_default) return;
    if (!presence.has(number)) presence.set(Attribute::kValueLeftOut);
    presence.clear(number);
  };
  implied(Attribute::Type::kFloat, 2, is_default(attribute.f));
  implied(Attribute::Type::kInt, 3, attribute.i == 0);
  implied(Attribute::Type::kString, 4, attribute.s.empty());
}

template <class M>
void Decoder::read(M& message, std::string_view bytes) {
  const wire::Budget::Level level(budget_);
  budget_.take_message(sizeof(M));
  wire::Reader reader(bytes, origin_);
  wire::Field field;
  std::vector<std::string_view> unknown;
  while (reader.next(field)) {
    FieldReader fields_of(*this, field, reader, message.presence);
    fields(fields_of, message);
    if (fields_of.taken()) continue;
    if (!unknown.empty() && unknown.back().data() + unknown.back().size() == field.whole.data()) {
      unknown.back() = {unknown.back().data(), unknown.back().size() + field.whole.size()};
    } else {
      budget_.take_memory(sizeof(std::string_view));
      unknown.push_back(field.whole);
    }
  }
  if (!unknown.empty()) keep_unknown(message, unknown);
  finish(message);
}

void Decoder::keep_unknown(Message& message, const std::vector<std::string_view>& pieces) {
  if (message.unknown.empty() && pieces.size() == 1) {
    message.unknown = view(pieces[0]);
    return;
  }
  std::string joined(message.unknown.text());
  for (const std::string_view piece : pieces) joined.append(piece);
  budget_.take_memory(joined.size());
  message.unknown = Bytes::copy_of(joined);
}

template <class M>
void decode_any(M& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits) {
  if (bytes.size() > limits.max_file_bytes) {
    throw Error(ErrorCode::kResourceLimit, std::to_string(bytes.size()) + " bytes exceed the limit of " +
                                               std::to_string(limits.max_file_bytes) + ": raise the read limits if the file is trusted");
  }
  Decoder(limits, owner, bytes.data()).read(message, bytes);
}

}  // namespace

Attribute::Type inferred_type(const Attribute& a) noexcept {
  using T = Attribute::Type;
  const auto scalar = [&](int number, bool set) { return set || a.presence.has(number); };
  if (scalar(2, !is_default(a.f))) return T::kFloat;
  if (scalar(3, a.i != 0)) return T::kInt;
  if (scalar(4, !a.s.empty())) return T::kString;
  if (a.t) return T::kTensor;
  if (a.g) return T::kGraph;
  if (a.sparse_tensor) return T::kSparseTensor;
  if (a.tp) return T::kTypeProto;
  if (!a.floats.empty()) return T::kFloats;
  if (!a.ints.empty()) return T::kInts;
  if (!a.strings.empty()) return T::kStrings;
  if (!a.tensors.empty()) return T::kTensors;
  if (!a.graphs.empty()) return T::kGraphs;
  if (!a.sparse_tensors.empty()) return T::kSparseTensors;
  if (!a.type_protos.empty()) return T::kTypeProtos;
  return T::kUndefined;
}

void decode_message(Model& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits) {
  decode_any(message, bytes, owner, limits);
}

void decode_message(TensorData& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits) {
  decode_any(message, bytes, owner, limits);
}

void decode_message(SequenceData& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits) {
  decode_any(message, bytes, owner, limits);
}

void decode_message(MapData& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits) {
  decode_any(message, bytes, owner, limits);
}

void decode_message(OptionalData& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits) {
  decode_any(message, bytes, owner, limits);
}

}  // namespace sardonyx::model
