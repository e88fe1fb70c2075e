#include <algorithm>
#include <numeric>

#include "nn/eager.h"
#include "sardonyx/nn/functional.h"

namespace sardonyx {

using model::Attribute;
using nn::recorded;
using nn::reject;
using nn::run_operator;
using nn::wrapped_dim;

namespace {

Tensor permuted(const Tensor& input, std::vector<int64_t> order) {
  if (order.empty()) return input.reshape({});
  return run_operator("Transpose", {input}, {Attribute::of("perm", std::move(order))});
}

void check_cat(std::span<const Tensor> tensors, int64_t axis) {
  const Tensor& first = tensors.front();
  for (size_t i = 1; i < tensors.size(); ++i) {
    const Tensor& other = tensors[i];
    if (other.dtype() != first.dtype()) {
      reject("cat: tensor 0 is a " + type_string(first.dtype()) + ", tensor " + std::to_string(i) + " a " + type_string(other.dtype()) +
             "; convert with Tensor::to");
    }
    if (other.dim() != first.dim()) {
      reject("Tensors must have same number of dimensions: got " + std::to_string(first.dim()) + " and " + std::to_string(other.dim()));
    }
    for (int64_t d = 0; d < first.dim(); ++d) {
      if (d == axis || other.size(d) == first.size(d)) continue;
      reject("Sizes of tensors must match except in dimension " + std::to_string(axis) + ". Expected size " +
             std::to_string(first.size(d)) + " but got size " + std::to_string(other.size(d)) + " for tensor number " + std::to_string(i) +
             " in the list.");
    }
  }
}

}  // namespace

Tensor flatten(const Tensor& input, int64_t start_dim, int64_t end_dim) {
  const auto first = static_cast<size_t>(wrapped_dim(start_dim, input.dim())),
             last = static_cast<size_t>(wrapped_dim(end_dim, input.dim()));
  if (first > last) reject("flatten() has invalid args: start_dim cannot come after end_dim");
  const std::span<const int64_t> sizes = input.shape();
  Shape shape{1};
  if (!sizes.empty()) {
    shape.assign(sizes.begin(), sizes.begin() + static_cast<ptrdiff_t>(first));
    shape.push_back(element_count(sizes.subspan(first, last - first + 1)));
    shape.insert(shape.end(), sizes.begin() + static_cast<ptrdiff_t>(last) + 1, sizes.end());
  }
  return recorded("aten::flatten", {input}, {{"start_dim", start_dim}, {"end_dim", end_dim}}, input.reshape(std::move(shape)));
}

Tensor reshape(const Tensor& input, Shape shape) {
  Tensor output = input.reshape(shape);
  return recorded("aten::reshape", {input}, {{"shape", std::move(shape)}}, std::move(output));
}

Tensor permute(const Tensor& input, std::vector<int64_t> dims) {
  std::vector<int64_t> order;
  for (const int64_t dim : dims) order.push_back(wrapped_dim(dim, input.dim()));
  std::vector<int64_t> sorted = order;
  std::ranges::sort(sorted);
  if (static_cast<int64_t>(sorted.size()) != input.dim() || std::ranges::adjacent_find(sorted) != sorted.end()) {
    reject("permute(dims): dims " + to_string(dims) + " are not a permutation of the axes of shape " + to_string(input.shape()));
  }
  return recorded("aten::permute", {input}, {{"dims", std::move(dims)}}, permuted(input, std::move(order)));
}

Tensor transpose(const Tensor& input, int64_t dim0, int64_t dim1) {
  const auto a = static_cast<size_t>(wrapped_dim(dim0, input.dim())), b = static_cast<size_t>(wrapped_dim(dim1, input.dim()));
  std::vector<int64_t> order(input.shape().size());
  std::iota(order.begin(), order.end(), int64_t{0});
  if (!order.empty()) std::swap(order[a], order[b]);
  return recorded("aten::transpose", {input}, {{"dim0", dim0}, {"dim1", dim1}}, permuted(input, std::move(order)));
}

Tensor unsqueeze(const Tensor& input, int64_t dim) {
  const int64_t axis = wrapped_dim(dim, input.dim() + 1);
  Shape shape = input.shape();
  shape.insert(shape.begin() + axis, 1);
  return recorded("aten::unsqueeze", {input}, {{"dim", dim}}, input.reshape(std::move(shape)));
}

Tensor squeeze(const Tensor& input, int64_t dim) {
  const int64_t axis = wrapped_dim(dim, input.dim());
  Shape shape = input.shape();
  if (shape.empty() || shape[static_cast<size_t>(axis)] != 1) return input;
  shape.erase(shape.begin() + axis);
  return recorded("aten::squeeze", {input}, {{"dim", dim}}, input.reshape(std::move(shape)));
}

Tensor cat(std::span<const Tensor> tensors, int64_t dim) {
  if (tensors.empty()) reject("cat: expected a non-empty list of Tensors");
  if (tensors.front().dim() == 0) reject("zero-dimensional tensor (at position 0) cannot be concatenated");
  const int64_t axis = wrapped_dim(dim, tensors.front().dim());
  check_cat(tensors, axis);
  return recorded("aten::cat", tensors, {{"dim", dim}}, run_operator("Concat", tensors, {Attribute::of("axis", axis)}));
}

Tensor cat(std::initializer_list<Tensor> tensors, int64_t dim) {
  return cat(std::span<const Tensor>(tensors.begin(), tensors.size()), dim);
}

}  // namespace sardonyx
