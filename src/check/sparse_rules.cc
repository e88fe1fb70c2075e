// Sparse tensors: values of shape [n], and the places of these n elements, as linear indices [n] or as coordinates [n, rank], ascending.
#include <fmt/format.h>

#include <optional>

#include "check/dims.h"
#include "check/tensor_rules.h"
#include "sardonyx/error.h"
#include "sardonyx/tensor.h"

namespace sardonyx::check {

namespace {
using model::SparseTensorData;

// What is wrong with the indices' elements; "" if nothing. The number of elements of `dims` can be addressed.
std::string order_problem(std::span<const int64_t> indices, size_t count, std::span<const int64_t> dims, bool linear) {
  const size_t width = linear ? 1 : dims.size();
  const int64_t size = element_count(dims);
  int64_t previous = -1;
  for (size_t i = 0; i < count; ++i) {
    int64_t place = 0;
    for (size_t j = 0; j < width; ++j) {
      const int64_t limit = linear ? size : dims[j], index = indices[i * width + j];
      if (index < 0 || index >= limit) return fmt::format("index {} at position {} is not in 0 to {}", index, i, limit - 1);
      place = place * limit + index;
    }
    if (place <= previous) return fmt::format("the index at position {} is not greater than the one before", i);
    previous = place;
  }
  return "";
}

// `has_data`: the elements can be read.
void check_indices(Reporter& reporter, const SparseTensorData& tensor, int64_t count, bool has_data) {
  const std::vector<int64_t>& dims = tensor.indices.dims;
  const auto rank = static_cast<int64_t>(tensor.dims.size());
  const bool linear = dims.size() == 1 && dims[0] == count;
  const bool coordinates = dims.size() == 2 && dims[0] == count && dims[1] == rank;
  if (tensor.indices.dtype() != DType::kInt64) {
    reporter.add({.code = Code::kTensorSparse,
                  .message = "indices must be int64",
                  .expected = "int64",
                  .found = std::string(to_string(tensor.indices.dtype()))});
    return;
  }
  if (!linear && !coordinates) {
    reporter.add({.code = Code::kTensorSparse,
                  .message = fmt::format("indices have shape {}; expected [{}] or [{}, {}]", dims_text(dims), count, count, rank),
                  .expected = fmt::format("[{}] or [{}, {}]", count, count, rank),
                  .found = dims_text(dims)});
    return;
  }
  if (!has_data || tensor.indices.is_external()) return;  // bytes of files are not read
  const Tensor indices = model::decode(tensor.indices);
  const std::string problem = order_problem(indices.values<int64_t>(), static_cast<size_t>(count), tensor.dims, linear);
  if (!problem.empty()) reporter.add(Code::kTensorSparse, problem, "sort the elements by their place, and keep each once");
}

// False if the shape is no use (reported).
bool check_dense_shape(Reporter& reporter, std::span<const int64_t> dims) {
  if (dims.empty()) {
    reporter.add(Code::kTensorSparse, "a sparse tensor must have at least one dimension");
    return false;
  }
  const std::optional<size_t> size = count_elements(reporter, dims, DType::kUInt8);
  if (size && *size == 0)
    reporter.add(Code::kTensorSparse, fmt::format("{}: dimensions of a sparse tensor must be positive", dims_text(dims)));
  return size && *size > 0;
}
}  // namespace

void check_sparse_tensor(Reporter& reporter, const SparseTensorData& tensor, ExternalFolder* external) {
  const Reporter::Scope scope(reporter, "sparse tensor");
  if (!tensor.has_values) {
    reporter.add(Code::kTensorSparse, "a sparse tensor needs values");
    return;
  }
  const size_t before = reporter.found();
  check_tensor(reporter, tensor.values, external);
  if (tensor.values.dims.size() != 1) {
    reporter.add(Code::kTensorSparse, fmt::format("values have rank {}, not 1", tensor.values.dims.size()));
  }
  const bool has_shape = check_dense_shape(reporter, tensor.dims);
  if (tensor.has_indices) {
    check_tensor(reporter, tensor.indices, external);
    if (has_shape && tensor.values.dims.size() == 1) check_indices(reporter, tensor, tensor.values.dims[0], reporter.found() == before);
  } else if (tensor.values.dims.size() == 1 && tensor.values.dims[0] != 0) {
    reporter.add(Code::kTensorSparse, "a sparse tensor with values needs indices");
  }
}

}  // namespace sardonyx::check
