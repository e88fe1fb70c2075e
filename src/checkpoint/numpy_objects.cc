// numpy's scalars and arrays, as training scripts leave them in checkpoints.
#include <cmath>
#include <cstring>
#include <optional>

#include "checkpoint/element_types.h"
#include "checkpoint/objects.h"
#include "checkpoint/text.h"

namespace sardonyx::checkpoint {

namespace {

[[noreturn]] void invalid(const std::string& message) { throw Error(ErrorCode::kInvalidModel, message); }

// A value of kind kNumpyType: the element type, and this bit where it is big-endian.
constexpr int64_t kBigEndian = 1 << 8;

struct NumpyType {
  std::string_view code;
  DType dtype;
};

constexpr NumpyType kNumpyTypes[] = {
    {"f2", DType::kFloat16}, {"f4", DType::kFloat32}, {"f8", DType::kFloat64},   {"i1", DType::kInt8},        {"i2", DType::kInt16},
    {"i4", DType::kInt32},   {"i8", DType::kInt64},   {"u1", DType::kUInt8},     {"u2", DType::kUInt16},      {"u4", DType::kUInt32},
    {"u8", DType::kUInt64},  {"b1", DType::kBool},    {"c8", DType::kComplex64}, {"c16", DType::kComplex128},
};

std::optional<DType> numpy_dtype(std::string_view code) noexcept {
  for (const NumpyType& type : kNumpyTypes) {
    if (type.code == code) return type.dtype;
  }
  return std::nullopt;
}

DType dtype_of(const Node& node) noexcept { return static_cast<DType>(node.value & (kBigEndian - 1)); }
bool is_big_endian(const Node& node) noexcept { return (node.value & kBigEndian) != 0; }

template <class T>
T as(uint64_t bits) noexcept {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

// The number of that type whose bits these are.
NodeId add_number(ValueStore& store, DType dtype, uint64_t bits) {
  switch (dtype) {
    case DType::kFloat16:
      return store.add_float(static_cast<double>(Float16{as<uint16_t>(bits)}.to_float()));
    case DType::kFloat32:
      return store.add_float(static_cast<double>(as<float>(bits)));
    case DType::kFloat64:
      return store.add_float(as<double>(bits));
    case DType::kInt8:
      return store.add(NodeKind::kInt, as<int8_t>(bits));
    case DType::kInt16:
      return store.add(NodeKind::kInt, as<int16_t>(bits));
    case DType::kInt32:
      return store.add(NodeKind::kInt, as<int32_t>(bits));
    case DType::kInt64:
      return store.add(NodeKind::kInt, as<int64_t>(bits));
    case DType::kUInt64:
      if (bits > uint64_t{INT64_MAX}) return store.add_owned_text(NodeKind::kBigInt, std::to_string(bits));
      return store.add(NodeKind::kInt, static_cast<int64_t>(bits));
    case DType::kBool:
      return store.add(NodeKind::kBool, bits != 0 ? 1 : 0);
    case DType::kUInt8:
    case DType::kUInt16:
    case DType::kUInt32:
      return store.add(NodeKind::kInt, static_cast<int64_t>(bits));
    default:
      throw Error(ErrorCode::kUnsupported, "the pickle holds a numpy scalar of type " + std::string(to_string(dtype)));
  }
}

}  // namespace

NodeId ObjectBuilder::reduce_numpy(const Global& function, const Arguments& arguments) {
  if (function.kind == GlobalKind::kNumpyType) return numpy_type(arguments);
  if (function.kind == GlobalKind::kNumpyScalar) return numpy_scalar(arguments);
  if (function.kind == GlobalKind::kNumpyFromBuffer) return numpy_from_buffer(arguments);
  // _reconstruct(ndarray, (0,), b'b'): an empty array that BUILD fills.
  if (arguments.empty() || !is_global(arguments[0], GlobalKind::kNumpyArrayType)) {
    throw Error(ErrorCode::kUnsupported, "the pickle holds a subclass of numpy.ndarray. Cure: re-save it as a torch tensor");
  }
  return store_.add(NodeKind::kNumpyArray);
}

// dtype('f4', False, True).
NodeId ObjectBuilder::numpy_type(const Arguments& arguments) {
  if (arguments.empty()) invalid("numpy.dtype is called without arguments");
  const std::string_view code = string(arguments[0], "numpy type");
  const auto dtype = numpy_dtype(code);
  if (!dtype) {
    throw Error(ErrorCode::kUnsupported, "the pickle holds numpy data of type " + quote(code) + ". Cure: re-save it as a torch tensor");
  }
  return store_.add(NodeKind::kNumpyType, static_cast<int64_t>(*dtype));
}

// (version, byte order, ...): '<', '>', '|' or '='.
void ObjectBuilder::build_numpy_type(NodeId type, const Arguments& arguments) {
  if (arguments.size() < 2) invalid("the state of a numpy type is too short");
  if (string(arguments[1], "byte order of a numpy type") == ">") store_.nodes[type].value |= kBigEndian;
}

NodeId ObjectBuilder::numpy_scalar(const Arguments& arguments) {
  const Node type = store_.node(argument(arguments, 0, NodeKind::kNumpyType, "numpy scalar"));
  if (arguments.size() != 2) invalid("a numpy scalar has no value");
  const std::string_view bytes = string(arguments[1], "value of a numpy scalar");
  const size_t item = item_size(dtype_of(type));
  if (bytes.size() != item) invalid("a numpy scalar of " + std::to_string(item) + " bytes has " + std::to_string(bytes.size()));
  uint64_t bits = 0;
  for (size_t i = 0; i < item && item <= sizeof bits; ++i) {
    const size_t place = is_big_endian(type) ? item - 1 - i : i;
    bits |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * place);
  }
  return add_number(store_, dtype_of(type), bits);
}

// (bytes, type, shape, 'C' or 'F').
NodeId ObjectBuilder::numpy_from_buffer(const Arguments& arguments) {
  if (arguments.size() != 4) invalid("a numpy array is made from " + std::to_string(arguments.size()) + " parts, not 4");
  add_numpy_array(arguments[1], arguments[2], string(arguments[3], "order of a numpy array") == "F", arguments[0]);
  return store_.add(NodeKind::kTensor, static_cast<int64_t>(state_.tensors.size() - 1));
}

// (version, shape, type, is_fortran, bytes): the array becomes a tensor.
void ObjectBuilder::build_numpy_array(NodeId array, const Arguments& arguments) {
  if (arguments.size() != 5) invalid("the state of a numpy array has " + std::to_string(arguments.size()) + " parts, not 5");
  const bool is_fortran = store_.node(argument(arguments, 3, NodeKind::kBool, "numpy array")).value != 0;
  add_numpy_array(arguments[2], arguments[1], is_fortran, arguments[4]);
  // The node that the memo may know already becomes the tensor.
  store_.nodes[array] = {NodeKind::kTensor, static_cast<int64_t>(state_.tensors.size() - 1)};
}

void ObjectBuilder::add_numpy_array(NodeId type_node, NodeId shape, bool is_fortran, NodeId contents) {
  const Node type = store_.node(argument({type_node}, 0, NodeKind::kNumpyType, "type of a numpy array"));
  const std::string_view bytes = string(contents, "contents of a numpy array");
  ElementView view{.dtype = dtype_of(type), .size = sizes(shape, "shape of a numpy array"), .swapped = is_big_endian(type)};
  view.stride = contiguous_strides(view.size);
  if (is_fortran) {
    const Shape reversed = contiguous_strides(Shape(view.size.rbegin(), view.size.rend()));
    view.stride.assign(reversed.rbegin(), reversed.rend());
  }
  if (storage_bytes(view.dtype, element_count(view.size)) != bytes.size()) {
    invalid("a numpy array of shape " + to_string(view.size) + " has " + std::to_string(bytes.size()) + " bytes");
  }
  const auto count = static_cast<int64_t>(bytes.size() / item_size(view.dtype));
  add_tensor({state_.storages.size(), std::move(view)});
  state_.storages.push_back(
      {"numpy array", state_.tensors.back().view.dtype, count, true, std::as_bytes(std::span(bytes.data(), bytes.size()))});
}

}  // namespace sardonyx::checkpoint
