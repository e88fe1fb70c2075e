#include "infer/value.h"

#include <fmt/format.h>

namespace sardonyx::infer {

Dim Symbols::intern(std::string_view name) {
  const auto [row, is_new] = ids_.try_emplace(std::string(name), static_cast<uint32_t>(names_.size()));
  if (is_new) names_.push_back(&row->first);
  return Dim::symbol(row->second);
}

Dim Symbols::fresh() {
  std::string name;
  do {
    name = fmt::format("unk__{}", next_++);
  } while (ids_.contains(name));
  return intern(name);
}

std::string Symbols::show(Dim dim) const {
  if (dim.is_known()) return fmt::format("{}", dim.value());
  return dim.is_symbol() ? name(dim) : "?";
}

std::string Symbols::show(const Dims& dims) const {
  std::string text = "[";
  for (const Dim dim : dims) {
    if (text.size() > 1) text += ", ";
    text += show(dim);
  }
  return text + "]";
}

ValueType ValueType::tensor(DType dtype) {
  ValueType type;
  type.kind = Kind::kTensor;
  type.dtype = dtype;
  return type;
}

ValueType ValueType::tensor(DType dtype, Dims dims) {
  ValueType type = tensor(dtype);
  type.has_rank = true;
  type.dims = std::move(dims);
  return type;
}

ValueType ValueType::sequence(ValueType element) {
  ValueType type;
  type.kind = Kind::kSequence;
  type.element = std::make_shared<const ValueType>(std::move(element));
  return type;
}

ValueType ValueType::optional(ValueType element) {
  ValueType type = sequence(std::move(element));
  type.kind = Kind::kOptional;
  return type;
}

ValueType ValueType::map(DType key, ValueType value) {
  ValueType type = sequence(std::move(value));
  type.kind = Kind::kMap;
  type.dtype = key;
  return type;
}

namespace {
constexpr int kMaxTypeDepth = 32;  // deeper ones are not known

DType known_dtype(int32_t number) {
  const auto dtype = static_cast<DType>(number);
  return is_valid(dtype) ? dtype : DType::kUndefined;
}

struct FromModel {
  Symbols& symbols;
  int depth;

  ValueType convert(const model::Type& type) const {
    ValueType result = std::visit(*this, type.value);
    if (result.kind == ValueType::Kind::kOpaque) result.original = std::make_shared<const model::Type>(type);
    return result;
  }
  ValueType inner(const std::shared_ptr<const model::Type>& type) const {
    return type == nullptr || depth >= kMaxTypeDepth ? ValueType{} : FromModel{symbols, depth + 1}.convert(*type);
  }
  Dim dim(const model::Dimension& given) const {
    if (given.is_known()) return given.size() < 0 ? Dim() : Dim(given.size());
    return given.is_symbol() && !given.symbol().empty() ? symbols.intern(given.symbol()) : Dim();
  }
  ValueType operator()(const std::monostate&) const { return {}; }
  ValueType operator()(const model::TensorType& given) const {
    ValueType type = ValueType::tensor(known_dtype(given.elem_type));
    type.has_rank = given.has_shape;
    for (const model::Dimension& d : given.shape.dims) type.dims.push_back(dim(d));
    return type;
  }
  ValueType operator()(const model::SparseTensorType& given) const {
    ValueType type = (*this)(static_cast<const model::TensorType&>(given));
    type.kind = ValueType::Kind::kSparseTensor;
    return type;
  }
  ValueType operator()(const model::SequenceType& given) const { return ValueType::sequence(inner(given.elem_type)); }
  ValueType operator()(const model::OptionalType& given) const { return ValueType::optional(inner(given.elem_type)); }
  ValueType operator()(const model::MapType& given) const { return ValueType::map(known_dtype(given.key_type), inner(given.value_type)); }
  ValueType operator()(const model::OpaqueType&) const {
    ValueType type;
    type.kind = ValueType::Kind::kOpaque;
    return type;
  }
};

std::shared_ptr<const model::Type> inner_to_model(const ValueType& type, const Symbols& symbols) {
  return type.element == nullptr || !type.element->is_known() ? nullptr
                                                              : std::make_shared<const model::Type>(to_model(*type.element, symbols));
}

template <class Tensor>
Tensor tensor_to_model(const ValueType& type, const Symbols& symbols) {
  Tensor out;
  out.elem_type = static_cast<int32_t>(type.dtype);
  out.has_shape = type.has_rank;
  for (const Dim dim : type.dims) {
    model::Dimension& d = out.shape.dims.emplace_back();
    if (dim.is_known()) {
      d.value = dim.value();
    } else if (dim.is_symbol()) {
      d.value = symbols.name(dim);
    }
  }
  return out;
}
}  // namespace

ValueType from_model(const model::Type& type, Symbols& symbols) { return FromModel{symbols, 0}.convert(type); }

model::Type to_model(const ValueType& type, const Symbols& symbols) {
  model::Type out;
  switch (type.kind) {
    case ValueType::Kind::kUnknown:
      break;
    case ValueType::Kind::kTensor:
      out.value = tensor_to_model<model::TensorType>(type, symbols);
      break;
    case ValueType::Kind::kSparseTensor:
      out.value = tensor_to_model<model::SparseTensorType>(type, symbols);
      break;
    case ValueType::Kind::kSequence:
      out.value = model::SequenceType{{}, inner_to_model(type, symbols)};
      break;
    case ValueType::Kind::kOptional:
      out.value = model::OptionalType{{}, inner_to_model(type, symbols)};
      break;
    case ValueType::Kind::kMap:
      out.value = model::MapType{{}, static_cast<int32_t>(type.dtype), inner_to_model(type, symbols)};
      break;
    case ValueType::Kind::kOpaque:
      if (type.original != nullptr) out = *type.original;
      break;
  }
  return out;
}

std::string type_text(const ValueType& type) {
  const auto inner = [&] { return type.element == nullptr ? std::string() : type_text(*type.element); };
  const auto wrapped = [&](std::string_view name) {
    std::string text = inner();
    return text.empty() ? text : fmt::format("{}({})", name, text);
  };
  switch (type.kind) {
    case ValueType::Kind::kTensor:
    case ValueType::Kind::kSparseTensor:
      if (type.dtype == DType::kUndefined) return "";
      return fmt::format("{}({})", type.is_tensor() ? "tensor" : "sparse_tensor", to_string(type.dtype));
    case ValueType::Kind::kSequence:
      return wrapped("seq");
    case ValueType::Kind::kOptional:
      return wrapped("optional");
    case ValueType::Kind::kMap: {
      // The specification names the values, which are scalars, by their element type alone.
      const bool is_scalar = type.element != nullptr && type.element->is_tensor() && type.element->dtype != DType::kUndefined;
      const std::string value = is_scalar ? std::string(to_string(type.element->dtype)) : inner();
      if (value.empty() || type.dtype == DType::kUndefined) return "";
      return fmt::format("map({},{})", to_string(type.dtype), value);
    }
    case ValueType::Kind::kOpaque:
      return type.original == nullptr ? "" : model::type_string(*type.original);
    case ValueType::Kind::kUnknown:
      break;
  }
  return "";
}

}  // namespace sardonyx::infer
