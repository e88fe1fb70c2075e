// Equality of models as far as it means something: without marks of how a file was written.
#include <concepts>
#include <memory>
#include <type_traits>
#include <vector>

#include "model/schema.h"
#include "sardonyx/error.h"
#include "sardonyx/text.h"

namespace sardonyx::model {
namespace {

// Brings a message into the one form that all semantically equal messages have. Messages behind pointers are copied first.
class Normalizer {
 public:
  template <class M>
  void normalize(M& message) {
    if constexpr (std::same_as<M, TensorData>) settle(message);
    message.presence = {};
    message.unknown = {};
    fields(*this, message);
  }

  template <class T>
  void field(int, const char*, T& member) {
    visit(member);
  }
  template <class T>
  void field(int, const char*, bool&, T& member) {
    visit(member);
  }
  template <class T>
  void packed(int, const char*, T&) {}
  template <class T, class Variant>
  void one_of(int, const char*, Variant& member) {
    if constexpr (IsMessage<T>) {
      if (T* value = std::get_if<T>(&member)) normalize(*value);
    }
  }

 private:
  template <class T>
  void visit(T&) {}
  template <IsMessage M>
  void visit(M& message) {
    normalize(message);
  }
  template <class M>
  void visit(std::shared_ptr<M>& message) {
    if (!message) return;
    auto copy = std::make_shared<std::remove_const_t<M>>(*message);
    normalize(*copy);
    message = std::move(copy);
  }
  template <class T>
  void visit(std::vector<T>& list) {
    for (T& entry : list) visit(entry);
  }

  static void clear_elements(TensorData& t) {
    t.raw_data = {};
    t.float_data.clear();
    t.int32_data.clear();
    t.int64_data.clear();
    t.double_data.clear();
    t.uint64_data.clear();
    t.string_data.clear();
  }
  // The elements as encode() places them, where they can be decoded at all.
  static void settle(TensorData& tensor) {
    if (tensor.is_external() || tensor.has_segment) return;
    try {
      TensorData settled = encode(decode(tensor));
      clear_elements(tensor);
      tensor.raw_data = std::move(settled.raw_data);
      tensor.string_data = std::move(settled.string_data);
    } catch (const Error&) {
      return;  // not sound: compared field by field
    }
  }
};

template <class M>
bool equal_when_normalized(M a, M b) {
  Normalizer normalizer;
  normalizer.normalize(a);
  normalizer.normalize(b);
  return a == b;
}

}  // namespace

bool semantically_equal(const Model& a, const Model& b) { return equal_when_normalized(a, b); }
bool semantically_equal(const Graph& a, const Graph& b) { return equal_when_normalized(a, b); }
bool semantically_equal(const Node& a, const Node& b) { return equal_when_normalized(a, b); }
bool semantically_equal(const TensorData& a, const TensorData& b) { return equal_when_normalized(a, b); }

}  // namespace sardonyx::model
