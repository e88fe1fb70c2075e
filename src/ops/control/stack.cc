#include "ops/control/stack.h"

#include "ops/facts.h"
#include "ops/movement/packed.h"
#include "ops/movement/strided.h"

namespace sardonyx::ops {
namespace {

// Of a contiguous tensor of shape `whole`: the part at `index` of the axis, without that axis.
StridedView slice_view(const Shape& whole, size_t axis, int64_t index) {
  StridedView view = contiguous_view(whole);
  view.advance(axis, index);
  view.shape.erase(view.shape.begin() + static_cast<ptrdiff_t>(axis));
  view.stride.erase(view.stride.begin() + static_cast<ptrdiff_t>(axis));
  return view;
}

void require_alike(const Tensor& item, const Tensor& first, std::string_view name) {
  if (!item.defined() || item.dtype() == DType::kTensor) throw argument_error("output '{}' of an iteration is no tensor", name);
  if (item.dtype() == first.dtype() && item.shape() == first.shape()) return;
  throw argument_error("output '{}' is {} {} in one iteration and {} {} in another; they cannot be stacked", name,
                       type_string(first.dtype()), to_string(first.shape()), type_string(item.dtype()), to_string(item.shape()));
}

// Elements of a packed tensor around an axis: whole slices lie `inner` elements apart.
struct PackedAxis {
  size_t outer, size, inner;
  PackedAxis(const Shape& whole, size_t axis)
      : outer(span_count(whole, 0, axis)), size(to_size(whole[axis])), inner(span_count(whole, axis + 1, whole.size())) {}
  size_t place(size_t block, size_t index) const noexcept { return (block * size + index) * inner; }
};

Tensor packed_slice(const Tensor& tensor, size_t axis, size_t index, const Shape& shape) {
  const PackedAxis at(tensor.shape(), axis);
  Tensor result(shape, tensor.dtype());
  if (result.numel() == 0) return result;
  for (size_t i = 0; i < at.outer; ++i) copy_packed_run(tensor, at.place(i, index), result, i * at.inner, at.inner);
  return result;
}

Tensor stack_packed(const std::vector<Tensor>& items, size_t axis, const Shape& shape) {
  const PackedAxis at(shape, axis);
  Tensor result(shape, items[0].dtype());
  if (result.numel() == 0) return result;
  for (size_t index = 0; index < items.size(); ++index) {
    for (size_t i = 0; i < at.outer; ++i) copy_packed_run(items[index], i * at.inner, result, at.place(i, index), at.inner);
  }
  return result;
}

}  // namespace

Tensor slice_at(const Tensor& tensor, size_t axis, int64_t index, core::ThreadPool& pool) {
  const StridedView view = slice_view(tensor.shape(), axis, index);
  const DType dtype = tensor.dtype();
  if (kPacked.has(dtype)) return packed_slice(tensor, axis, to_size(index), view.shape);
  if (axis == 0 && dtype != DType::kString) {
    const size_t bytes = to_size(element_count(view.shape)) * element_bytes(dtype);
    return Tensor::view(nullptr, static_cast<const std::byte*>(tensor.raw()) + to_size(index) * bytes, view.shape, dtype);
  }
  Tensor result = Tensor::empty(view.shape, dtype);
  move_between(view, view.shape, dtype).run(tensor.raw(), result.mutable_raw(), pool);
  return result;
}

Tensor stack(const std::vector<Tensor>& items, size_t axis, int64_t size, std::string_view name, core::ThreadPool& pool) {
  for (const Tensor& item : items) require_alike(item, items[0], name);
  const Shape& slice = items[0].shape();
  if (axis > slice.size())
    throw argument_error("output '{}' has rank {} in each iteration; it cannot be stacked on axis {}", name, slice.size(), axis);
  Shape shape = slice;
  shape.insert(shape.begin() + static_cast<ptrdiff_t>(axis), size);
  const ValueFacts facts = output(items[0].dtype(), shape);
  if (kPacked.has(facts.dtype)) return stack_packed(items, axis, shape);
  Tensor result = to_int(items.size()) < size ? Tensor::zeros(shape, facts.dtype) : Tensor::empty(shape, facts.dtype);
  for (size_t i = 0; i < items.size(); ++i) {
    const StridedMove move(contiguous_view(slice), slice_view(shape, axis, to_int(i)), facts.dtype);
    move.run(items[i].raw(), result.mutable_raw(), pool);
  }
  return result;
}

Tensor empty_stack(const model::ValueInfo& slice, size_t axis) {
  const model::TensorType* type = slice.type.tensor();
  if (!type || type->dtype() == DType::kUndefined || !type->has_shape || axis > type->shape.dims.size()) {
    throw unsupported_error(
        "there are no iterations, and the graph inside does not declare type and rank of its output '{}'; declare them, then an empty "
        "tensor can be made",
        slice.name);
  }
  Shape shape;
  for (const model::Dimension& dim : type->shape.dims) shape.push_back(dim.is_known() && dim.size() >= 0 ? dim.size() : 0);
  shape.insert(shape.begin() + static_cast<ptrdiff_t>(axis), 0);
  return Tensor(std::move(shape), type->dtype());
}

}  // namespace sardonyx::ops
