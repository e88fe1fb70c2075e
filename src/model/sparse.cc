// Sparse tensors (SparseTensorProto): what is not listed is zero.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "sardonyx/model.h"

namespace sardonyx::model {
namespace {

// A few bytes can declare any dims; beyond the first limit, the dense tensor may be this much larger than what is stored.
constexpr size_t kAlwaysAllowedBytes = size_t{64} << 20;
constexpr size_t kMaxGrowth = 1024;

Error invalid(std::string message) { return Error(ErrorCode::kInvalidModel, "sparse tensor: " + std::move(message)); }

// The row-major number of each stored element.
std::vector<int64_t> element_numbers(const Tensor& indices, const Shape& dims, int64_t stored) {
  if (indices.dtype() != DType::kInt64) throw invalid("its indices are " + type_string(indices.dtype()) + ", not tensor(int64)");
  const auto rank = static_cast<int64_t>(dims.size());
  const bool is_linear = indices.shape() == Shape{stored};
  if (!is_linear && indices.shape() != Shape{stored, rank}) {
    throw invalid(fmt::format("its indices have shape {}; for {} values of rank {} they must have shape [{}] or [{}, {}]",
                              sardonyx::to_string(indices.shape()), stored, rank, stored, stored, rank));
  }
  const auto given = indices.values<int64_t>();
  const int64_t count = element_count(dims);
  std::vector<int64_t> numbers(static_cast<size_t>(stored));
  for (size_t i = 0; i < numbers.size(); ++i) {
    int64_t number = is_linear ? given[i] : 0;
    for (size_t axis = 0; !is_linear && axis < dims.size(); ++axis) {
      const int64_t index = given[i * dims.size() + axis];
      if (index < 0 || index >= dims[axis])
        throw invalid(fmt::format("index {} is outside dimension {} of size {}", index, axis, dims[axis]));
      number = number * dims[axis] + index;
    }
    if (number < 0 || number >= count) throw invalid(fmt::format("index {} is outside its {} elements", number, count));
    numbers[i] = number;
  }
  return numbers;
}

void require_moderate(const Tensor& values, const Shape& dims) {
  const size_t dense = storage_bytes(values.dtype(), element_count(dims));
  if (dense <= kAlwaysAllowedBytes || dense / kMaxGrowth <= values.byte_size()) return;
  throw Error(ErrorCode::kResourceLimit,
              fmt::format("sparse tensor: its {} stored bytes stand for {} dense ones; more than {} times as many "
                          "are refused",
                          values.byte_size(), dense, kMaxGrowth));
}

}  // namespace

Tensor decode(const SparseTensorData& tensor) {
  if (!tensor.has_values || !tensor.has_indices) throw invalid("its values or indices are missing");
  for (const int64_t size : tensor.dims) {
    if (size < 0) throw invalid("dims " + sardonyx::to_string(tensor.dims) + " hold a negative size");
  }
  const Tensor values = decode(tensor.values);
  if (values.dim() != 1) throw invalid("its values have shape " + sardonyx::to_string(values.shape()) + "; they must be a list");
  const std::vector<int64_t> numbers = element_numbers(decode(tensor.indices), tensor.dims, values.numel());
  require_moderate(values, tensor.dims);
  Tensor dense(tensor.dims, values.dtype());
  if (values.dtype() == DType::kString) {
    for (size_t i = 0; i < numbers.size(); ++i) dense.mutable_values<std::string>()[static_cast<size_t>(numbers[i])] = values.strings()[i];
    return dense;
  }
  const auto bytes = static_cast<size_t>(bit_width(values.dtype())) / 8;
  if (bytes == 0)
    throw Error(ErrorCode::kUnsupported, "sparse tensor: elements of type " + type_string(values.dtype()) + " are not supported");
  for (size_t i = 0; i < numbers.size(); ++i) {
    std::memcpy(static_cast<std::byte*>(dense.mutable_raw()) + static_cast<size_t>(numbers[i]) * bytes,
                static_cast<const std::byte*>(values.raw()) + i * bytes, bytes);
  }
  return dense;
}

}  // namespace sardonyx::model
