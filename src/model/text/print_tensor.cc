// Tensors in the text syntax: type, name and elements.
#include <cstring>
#include <optional>

#include "model/text/printer.h"

namespace sardonyx::model::text {
namespace {

// Bytes that the elements take as raw data; nothing where type and shape allow none.
std::optional<size_t> raw_size_of(const TensorData& tensor) {
  const DType dtype = tensor.dtype();
  if (dtype == DType::kUndefined || dtype == DType::kString) return std::nullopt;
  try {
    return storage_bytes(dtype, element_count(tensor.dims));
  } catch (const Error&) {
    return std::nullopt;  // a negative or an absurd size: the bytes are written as they stand
  }
}

bool has_typed_elements(const TensorData& t) {
  return !t.float_data.empty() || !t.int32_data.empty() || !t.int64_data.empty() || !t.double_data.empty() || !t.uint64_data.empty() ||
         !t.string_data.empty();
}

}  // namespace

void Printer::tensor_text(const TensorData& tensor, bool is_initializer, bool extras_follow) {
  element_type(tensor.data_type);
  if (!tensor.dims.empty()) {
    out_ += '[';
    separated(tensor.dims, ",", [&](int64_t size) { number(size); });
    out_ += ']';
  }
  if (is_initializer || !tensor.name.empty()) {
    out_ += ' ';
    name(tensor.name);
  }
  uint64_t written = 0;
  if (tensor.is_external()) {
    out_ += " = ";
    write(tensor.external_data);
    written = bit(13);
  } else {
    out_ += is_initializer ? " = " : " ";
    written = elements(tensor);
  }
  extras(tensor, written, extras_follow);
}

template <class Each>
void Printer::entries(size_t count, Each&& each) {
  const size_t shown = count > options_.max_elements ? options_.max_elements : count;
  out_ += '{';
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) out_ += ", ";
    each(i);
  }
  if (shown < count) out_ += shown > 0 ? ", ..." : "...";
  out_ += '}';
}

template <class T, class Shown>
void Printer::raw_entries_of(std::string_view bytes) {
  entries(bytes.size() / sizeof(T), [&](size_t i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    number(static_cast<Shown>(value));
  });
}

// As onnx's parser takes them: the bits of small floats, one byte of packed elements, real and imaginary parts of complex numbers.
void Printer::raw_entries(DType dtype, std::string_view bytes) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kComplex64:
      return raw_entries_of<float>(bytes);
    case DType::kFloat64:
    case DType::kComplex128:
      return raw_entries_of<double>(bytes);
    case DType::kInt64:
      return raw_entries_of<int64_t>(bytes);
    case DType::kUInt64:
      return raw_entries_of<uint64_t>(bytes);
    case DType::kInt32:
      return raw_entries_of<int32_t>(bytes);
    case DType::kUInt32:
      return raw_entries_of<uint32_t>(bytes);
    case DType::kInt16:
      return raw_entries_of<int16_t>(bytes);
    case DType::kUInt16:
    case DType::kFloat16:
    case DType::kBFloat16:
      return raw_entries_of<uint16_t>(bytes);
    case DType::kInt8:
      return raw_entries_of<int8_t, int>(bytes);
    default:
      return raw_entries_of<uint8_t, int>(bytes);
  }
}

uint64_t Printer::elements(const TensorData& tensor) {
  const int field = typed_field_of(tensor.dtype());
  if (!tensor.raw_data.empty() && !has_typed_elements(tensor) && raw_size_of(tensor) == tensor.raw_data.size()) {
    raw_entries(tensor.dtype(), tensor.raw_data.text());
    return bit(9);
  }
  switch (field) {
    case 4:
      typed_entries(tensor.float_data);
      break;
    case 5:
      typed_entries(tensor.int32_data);
      break;
    case 6:
      typed_entries(tensor.string_data);
      break;
    case 7:
      typed_entries(tensor.int64_data);
      break;
    case 10:
      typed_entries(tensor.double_data);
      break;
    case 11:
      typed_entries(tensor.uint64_data);
      break;
    default:
      out_ += "{}";
  }
  return bit(field);
}

}  // namespace sardonyx::model::text
