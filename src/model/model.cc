// Equality, look-ups and text forms of the model's messages.
#include "sardonyx/model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "sardonyx/error.h"

namespace sardonyx::model {
namespace {

template <class T>
bool same_pointee(const std::shared_ptr<T>& a, const std::shared_ptr<T>& b) {
  return a == b || (a && b && *a == *b);
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

bool same_message(const Message& a, const Message& b) { return a == b; }

std::string inner_type_string(const std::shared_ptr<const Type>& type) { return type ? type_string(*type) : "undefined"; }

std::string dtype_name(int32_t number) {
  const auto dtype = static_cast<DType>(number);
  return is_valid(dtype) ? std::string(to_string(dtype)) : "undefined";
}

}  // namespace

Bytes Bytes::copy_of(std::string_view bytes) {
  auto owned = std::make_shared<const std::string>(bytes);
  const std::string_view text = *owned;
  return Bytes(std::move(owned), text);
}

const std::string* find_value(const StringPairs& pairs, std::string_view key) noexcept {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const StringPair& pair) { return pair.key == key; });
  return found == pairs.end() ? nullptr : &found->value;
}

std::string to_string(const ShapeInfo& shape) {
  std::string text = "[";
  for (const Dimension& dim : shape.dims) {
    if (text.size() > 1) text += ", ";
    if (dim.is_known()) {
      text += std::to_string(dim.size());
    } else {
      text += dim.is_symbol() && !dim.symbol().empty() ? dim.symbol() : "?";
    }
  }
  return text + "]";
}

bool SequenceType::operator==(const SequenceType& other) const {
  return same_message(*this, other) && same_pointee(elem_type, other.elem_type);
}
bool OptionalType::operator==(const OptionalType& other) const {
  return same_message(*this, other) && same_pointee(elem_type, other.elem_type);
}
bool MapType::operator==(const MapType& other) const {
  return same_message(*this, other) && key_type == other.key_type && same_pointee(value_type, other.value_type);
}

Type Type::of_tensor(DType dtype) {
  Type type;
  type.value.emplace<TensorType>().elem_type = static_cast<int32_t>(dtype);
  return type;
}

Type Type::of_tensor(DType dtype, std::vector<Dimension> dims) {
  Type type = of_tensor(dtype);
  type.tensor()->has_shape = true;
  type.tensor()->shape.dims = std::move(dims);
  return type;
}

std::string type_string(const Type& type) {
  struct Speller {
    std::string operator()(const std::monostate&) const { return "undefined"; }
    std::string operator()(const TensorType& t) const { return "tensor(" + dtype_name(t.elem_type) + ")"; }
    std::string operator()(const SparseTensorType& t) const { return "sparse_tensor(" + dtype_name(t.elem_type) + ")"; }
    std::string operator()(const SequenceType& t) const { return "seq(" + inner_type_string(t.elem_type) + ")"; }
    std::string operator()(const OptionalType& t) const { return "optional(" + inner_type_string(t.elem_type) + ")"; }
    std::string operator()(const MapType& t) const { return "map(" + dtype_name(t.key_type) + "," + inner_type_string(t.value_type) + ")"; }
    std::string operator()(const OpaqueType& t) const { return "opaque(" + t.domain + "," + t.name + ")"; }
  };
  return std::visit(Speller{}, type.value);
}

bool TensorData::operator==(const TensorData& o) const {
  return same_message(*this, o) && name == o.name && data_type == o.data_type && dims == o.dims && raw_data == o.raw_data &&
         same_bits(float_data, o.float_data) && int32_data == o.int32_data && int64_data == o.int64_data &&
         same_bits(double_data, o.double_data) && uint64_data == o.uint64_data && string_data == o.string_data &&
         external_data == o.external_data && data_location == o.data_location && has_segment == o.has_segment && segment == o.segment &&
         doc_string == o.doc_string && metadata_props == o.metadata_props;
}

bool Attribute::operator==(const Attribute& o) const {
  return same_message(*this, o) && name == o.name && ref_attr_name == o.ref_attr_name && doc_string == o.doc_string && type == o.type &&
         std::bit_cast<uint32_t>(f) == std::bit_cast<uint32_t>(o.f) && i == o.i && s == o.s && same_pointee(t, o.t) &&
         same_pointee(g, o.g) && same_pointee(sparse_tensor, o.sparse_tensor) && same_pointee(tp, o.tp) && same_bits(floats, o.floats) &&
         ints == o.ints && strings == o.strings && tensors == o.tensors &&
         std::equal(graphs.begin(), graphs.end(), o.graphs.begin(), o.graphs.end(), same_pointee<Graph>) &&
         sparse_tensors == o.sparse_tensors && type_protos == o.type_protos;
}

std::string_view to_string(Attribute::Type type) noexcept {
  static constexpr std::array<std::string_view, 15> kNames = {
      "UNDEFINED", "FLOAT",   "INT",    "STRING",        "TENSOR",         "GRAPH",      "FLOATS",     "INTS",
      "STRINGS",   "TENSORS", "GRAPHS", "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};
  const auto index = static_cast<size_t>(type);
  return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

const Attribute* Node::find_attribute(std::string_view attribute_name) const noexcept {
  const auto found = std::find_if(attribute.begin(), attribute.end(), [&](const Attribute& a) { return a.name == attribute_name; });
  return found == attribute.end() ? nullptr : &*found;
}

const TensorData* Graph::find_initializer(std::string_view initializer_name) const noexcept {
  const auto found = std::find_if(initializer.begin(), initializer.end(), [&](const TensorData& t) { return t.name == initializer_name; });
  return found == initializer.end() ? nullptr : &*found;
}

int64_t Model::opset_version(std::string_view opset_domain) const noexcept {
  const auto plain = [](std::string_view name) { return name == "ai.onnx" ? std::string_view() : name; };
  for (const OpsetId& id : opset_import) {
    if (plain(id.domain) == plain(opset_domain)) return id.version;
  }
  return plain(opset_domain).empty() && ir_version < 3 ? 1 : 0;
}

std::string describe(const Node& node) {
  if (!node.name.empty()) return "node '" + node.name + "' (" + node.op_type + ")";
  const auto named = std::find_if(node.output.begin(), node.output.end(), [](const std::string& name) { return !name.empty(); });
  if (named != node.output.end()) return "node with output '" + *named + "' (" + node.op_type + ")";
  return "unnamed node (" + node.op_type + ")";
}

}  // namespace sardonyx::model
