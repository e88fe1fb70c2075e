// What inference knows of a value: its type, its shape, and, of small integer tensors, its elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx::infer {

// A size or an element as far as it is known: a number, a symbol, or nothing.
class Dim {
 public:
  constexpr Dim() = default;                                            // unknown
  constexpr Dim(int64_t value) : value_(value), kind_(Kind::kKnown) {}  // NOLINT: shapes read as {1, 3, height}
  static constexpr Dim symbol(uint32_t id) {
    Dim dim(static_cast<int64_t>(id));
    dim.kind_ = Kind::kSymbol;
    return dim;
  }
  constexpr bool is_known() const noexcept { return kind_ == Kind::kKnown; }
  constexpr bool is_symbol() const noexcept { return kind_ == Kind::kSymbol; }
  constexpr bool is_unknown() const noexcept { return kind_ == Kind::kUnknown; }
  constexpr bool is(int64_t value) const noexcept { return is_known() && value_ == value; }
  constexpr int64_t value() const noexcept { return value_; }  // of a known one
  constexpr uint32_t id() const noexcept { return static_cast<uint32_t>(value_); }
  // Whether both are surely the same number; two unknown ones are not.
  friend constexpr bool same(const Dim& a, const Dim& b) noexcept { return a == b && !a.is_unknown(); }
  friend constexpr bool operator==(const Dim&, const Dim&) = default;

 private:
  enum class Kind : uint8_t { kUnknown, kKnown, kSymbol };
  int64_t value_ = 0;
  Kind kind_ = Kind::kUnknown;
};
using Dims = std::vector<Dim>;

// Symbols by number, of one inference.
class Symbols {
 public:
  Dim intern(std::string_view name);
  Dim fresh();  // "unk__0", ...: none that the model uses
  const std::string& name(Dim symbol) const { return *names_[symbol.id()]; }
  size_t size() const noexcept { return names_.size(); }  // those made later have greater ids
  std::string show(Dim dim) const;                        // "3", "batch", "?"
  std::string show(const Dims& dims) const;

 private:
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<const std::string*> names_;  // keys of ids_, which do not move
  size_t next_ = 0;
};

// A value's type; kUnknown: nothing is known.
struct ValueType {
  enum class Kind : uint8_t { kUnknown, kTensor, kSparseTensor, kSequence, kOptional, kMap, kOpaque };
  Kind kind = Kind::kUnknown;
  DType dtype = DType::kUndefined;              // of a tensor's elements (kUndefined: not known), of a map's keys
  bool has_rank = false;                        // of a tensor
  Dims dims;                                    // of a tensor whose rank is known
  std::shared_ptr<const ValueType> element;     // of a sequence or an optional; a map's values. Null: not known
  std::shared_ptr<const model::Type> original;  // of an opaque type

  static ValueType tensor(DType dtype);
  static ValueType tensor(DType dtype, Dims dims);
  static ValueType sequence(ValueType element);
  static ValueType optional(ValueType element);
  static ValueType map(DType key, ValueType value);

  bool is_known() const noexcept { return kind != Kind::kUnknown; }
  bool is_tensor() const noexcept { return kind == Kind::kTensor; }
  bool is_dense_or_sparse() const noexcept { return kind == Kind::kTensor || kind == Kind::kSparseTensor; }
  friend bool operator==(const ValueType&, const ValueType&) = default;
};

ValueType from_model(const model::Type& type, Symbols& symbols);
model::Type to_model(const ValueType& type, const Symbols& symbols);
// As the specification writes type constraints: "tensor(float)", "seq(tensor(int64))", "optional(seq(tensor(float)))"; "" if not known.
std::string type_text(const ValueType& type);

// Elements of an integer tensor of rank 0 or 1, row-major; those not known are unknown Dims.
using Elements = std::shared_ptr<const Dims>;
inline constexpr size_t kMaxElements = 1024;  // longer ones are not followed

// Ranks that rules give; beyond, only the element type is followed, so that nodes which add axes cannot make shapes without bound.
inline constexpr size_t kMaxRank = 64;

// All that is known of one value.
struct Value {
  ValueType type;
  Elements elements;                            // null: not known
  const model::TensorData* constant = nullptr;  // an initializer or a Constant node's tensor
  bool is_absent = false;                       // an optional input of a function that its call leaves out
  bool is_unmade = false;                       // an output of a function that none of its nodes makes
};

}  // namespace sardonyx::infer
