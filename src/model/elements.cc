// The elements of a TensorData: raw bytes or typed fields to a Tensor, and back.
#include <algorithm>
#include <complex>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "sardonyx/error.h"
#include "sardonyx/model.h"

namespace sardonyx::model {
namespace {

[[noreturn]] void fail(std::string reason) { throw Error(ErrorCode::kInvalidModel, std::move(reason)); }

Tensor from_bytes(const Bytes& bytes, Shape shape, DType dtype, int64_t count) {
  const size_t wanted = storage_bytes(dtype, count);
  if (bytes.size() != wanted) {
    fail(std::to_string(bytes.size()) + " bytes of data, where type and shape need " + std::to_string(wanted));
  }
  if (count == 0) return Tensor::empty(std::move(shape), dtype);
  return Tensor::stored_view(bytes.owner(), bytes.text().data(), std::move(shape), dtype);
}

size_t exact_count(size_t have, size_t wanted, const char* field) {
  if (have != wanted) {
    fail(std::string(field) + " has " + std::to_string(have) + " entries, where type and shape need " + std::to_string(wanted));
  }
  return wanted;
}

// Fields whose entries are the elements, or their real and imaginary parts.
template <class T>
Tensor from_plain(const std::vector<T>& data, const char* field, Shape shape, DType dtype, int64_t count) {
  exact_count(data.size() * sizeof(T), storage_bytes(dtype, count), field);
  Tensor result = Tensor::empty(std::move(shape), dtype);
  if (!data.empty()) std::memcpy(result.mutable_raw(), data.data(), data.size() * sizeof(T));
  return result;
}

// Entries that hold narrower elements in their low bits, sign-extended or not.
template <class Out, class T>
void narrow(const std::vector<T>& data, const char* field, Out* out) {
  constexpr int kBits = sizeof(Out) * 8;
  for (size_t i = 0; i < data.size(); ++i) {
    const auto value = static_cast<int64_t>(data[i]);
    if (value < -(int64_t{1} << (kBits - 1)) || value >= int64_t{1} << kBits) {
      fail(std::string(field) + "[" + std::to_string(i) + "] = " + std::to_string(value) + " does not fit in " + std::to_string(kBits) +
           " bits");
    }
    out[i] = static_cast<Out>(value);
  }
}

// int32_data: one entry per element, or per byte of packed elements.
Tensor from_int32(const std::vector<int32_t>& data, Shape shape, DType dtype, int64_t count) {
  constexpr const char* kField = "int32_data";
  if (dtype == DType::kInt32) return from_plain(data, kField, std::move(shape), dtype, count);
  const size_t bytes = storage_bytes(dtype, count);
  const bool is_wide = bit_width(dtype) == 16;
  exact_count(data.size(), is_wide ? bytes / 2 : bytes, kField);
  Tensor result = Tensor::empty(std::move(shape), dtype);
  if (dtype == DType::kBool) {
    std::transform(data.begin(), data.end(), result.mutable_values<bool>().begin(), [](int32_t value) { return value != 0; });
  } else if (is_wide) {
    narrow(data, kField, static_cast<uint16_t*>(result.mutable_raw()));
  } else {
    narrow(data, kField, static_cast<uint8_t*>(result.mutable_raw()));
  }
  return result;
}

Tensor from_uint64(const std::vector<uint64_t>& data, Shape shape, DType dtype, int64_t count) {
  constexpr const char* kField = "uint64_data";
  if (dtype == DType::kUInt64) return from_plain(data, kField, std::move(shape), dtype, count);
  exact_count(data.size(), static_cast<size_t>(count), kField);
  Tensor result = Tensor::empty(std::move(shape), dtype);
  narrow(data, kField, static_cast<uint32_t*>(result.mutable_raw()));
  return result;
}

Tensor from_strings(const std::vector<Bytes>& data, Shape shape, int64_t count) {
  exact_count(data.size(), static_cast<size_t>(count), "string_data");
  Tensor result(std::move(shape), DType::kString);
  std::transform(data.begin(), data.end(), result.mutable_values<std::string>().begin(),
                 [](const Bytes& bytes) { return std::string(bytes.text()); });
  return result;
}

Tensor from_typed_fields(const TensorData& tensor, Shape shape, DType dtype, int64_t count) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kComplex64:
      return from_plain(tensor.float_data, "float_data", std::move(shape), dtype, count);
    case DType::kFloat64:
    case DType::kComplex128:
      return from_plain(tensor.double_data, "double_data", std::move(shape), dtype, count);
    case DType::kInt64:
      return from_plain(tensor.int64_data, "int64_data", std::move(shape), dtype, count);
    case DType::kUInt32:
    case DType::kUInt64:
      return from_uint64(tensor.uint64_data, std::move(shape), dtype, count);
    case DType::kString:
      return from_strings(tensor.string_data, std::move(shape), count);
    default:
      return from_int32(tensor.int32_data, std::move(shape), dtype, count);
  }
}

int filled_fields(const TensorData& t) {
  return int{!t.raw_data.empty()} + int{!t.float_data.empty()} + int{!t.int32_data.empty()} + int{!t.int64_data.empty()} +
         int{!t.double_data.empty()} + int{!t.uint64_data.empty()} + int{!t.string_data.empty()};
}

const Bytes& external_bytes(const TensorData& tensor) {
  if (tensor.external.bytes.owner() == nullptr) {
    throw Error(ErrorCode::kInvalidArgument, "its external data was not loaded: read the model with external_data = true");
  }
  return tensor.external.bytes;
}

Tensor decode_elements(const TensorData& tensor) {
  const DType dtype = tensor.dtype();
  if (dtype == DType::kUndefined) fail("unknown element type " + std::to_string(tensor.data_type));
  if (std::any_of(tensor.dims.begin(), tensor.dims.end(), [](int64_t size) { return size < 0; })) {
    fail("shape " + sardonyx::to_string(tensor.dims) + " has a negative size");
  }
  if (tensor.has_segment) throw Error(ErrorCode::kUnsupported, "it is one segment of a larger tensor");
  const int64_t count = element_count(tensor.dims);
  const bool is_raw = tensor.is_external() || !tensor.raw_data.empty();
  if (is_raw && dtype == DType::kString) fail("strings are kept as raw or external data, where string_data is the only place for them");
  if (tensor.is_external()) return from_bytes(external_bytes(tensor), tensor.dims, dtype, count);
  if (filled_fields(tensor) > 1) fail("more than one of its data fields is filled");
  if (filled_fields(tensor) == 0 && count > 0) {
    fail("it has no data, where shape " + sardonyx::to_string(tensor.dims) + " needs " + std::to_string(count) + " elements");
  }
  if (is_raw) return from_bytes(tensor.raw_data, tensor.dims, dtype, count);
  return from_typed_fields(tensor, tensor.dims, dtype, count);
}

std::string describe_tensor(const TensorData& tensor) {
  const std::string name = tensor.name.empty() ? "unnamed tensor" : "tensor '" + tensor.name + "'";
  return tensor.dtype() == DType::kUndefined ? name : name + " (" + std::string(to_string(tensor.dtype())) + ")";
}

}  // namespace

Tensor decode(const TensorData& tensor) {
  return with_trail([&] { return describe_tensor(tensor); }, [&] { return decode_elements(tensor); });
}

TensorData encode(const Tensor& tensor, std::string name) {
  TensorData data;
  data.name = std::move(name);
  data.data_type = static_cast<int32_t>(tensor.dtype());
  data.dims = tensor.shape();
  const auto owner = std::make_shared<const Tensor>(tensor);
  if (tensor.dtype() == DType::kString) {
    for (const std::string& text : tensor.strings()) data.string_data.push_back(Bytes::view(owner, text));
  } else if (tensor.numel() > 0) {
    data.raw_data = Bytes::view(owner, {static_cast<const char*>(tensor.raw()), tensor.byte_size()});
  } else {
    data.presence.set(9);
  }
  return data;
}

}  // namespace sardonyx::model
