// Strided views of tensors, and copies between two of them: what Transpose, Slice, Concat, Expand, Pad and the like come down to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/copy/copy_plan.h"
#include "ops/op.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

// Strides and base count elements; a stride of 0 repeats, a negative one walks backwards from the base.
struct StridedView {
  Shape shape;
  std::vector<ptrdiff_t> stride;
  ptrdiff_t base = 0;

  // Where the element with this row-major number lies.
  ptrdiff_t offset(size_t number) const noexcept;
  // Moves the base by that many elements of the axis.
  void advance(size_t axis, int64_t count) noexcept;
};

// Wraps around: an empty tensor may have sizes whose product exceeds every integer; its strides are never used.
constexpr ptrdiff_t stride_product(int64_t a, int64_t b) noexcept {
  return static_cast<ptrdiff_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

StridedView contiguous_view(const Shape& shape);
// The part of a contiguous tensor of shape `whole` that begins at `start` on `axis` and has `size` there.
StridedView part_of(const Shape& whole, size_t axis, int64_t start, int64_t size);
// A contiguous tensor of `shape` as if it had the shape `out`, to which it broadcasts.
StridedView broadcast_view(const Shape& shape, const Shape& out);

// A copy of all elements of one view to another of the same shape.
class StridedMove {
 public:
  // Throws Unsupported for packed element types and for more dimensions than the kernel takes.
  StridedMove(const StridedView& src, const StridedView& dst, DType dtype);

  void run(const void* src, void* dst, core::ThreadPool& pool) const;

 private:
  void run_strings(const std::string* src, std::string* dst) const;

  kernels::StridedCopy copy_;
  kernels::CopyPlan plan_;
  ptrdiff_t src_base_, dst_base_;
  ptrdiff_t bytes_;
  bool is_string_;
};

// Whether the view's elements lie one after the other, in their order. False for an empty view.
bool is_contiguous(const StridedView& view) noexcept;

// The move that makes a contiguous tensor from a view.
inline StridedMove move_between(const StridedView& src, const Shape& out, DType dtype) { return {src, contiguous_view(out), dtype}; }

// A step whose output 0 is that view of input 0, made contiguous.
std::unique_ptr<Bound> bind_view(const StridedView& view, DType dtype);

}  // namespace sardonyx::ops
