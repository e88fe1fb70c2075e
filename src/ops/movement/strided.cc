#include "ops/movement/strided.h"

#include "ops/facts.h"
#include "ops/movement/strings.h"
#include "ops/stages.h"

namespace sardonyx::ops {

ptrdiff_t StridedView::offset(size_t number) const noexcept {
  ptrdiff_t result = base;
  for (size_t i = shape.size(); i-- > 0;) {
    const size_t size = to_size(shape[i]);
    result += static_cast<ptrdiff_t>(number % size) * stride[i];
    number /= size;
  }
  return result;
}

void StridedView::advance(size_t axis, int64_t count) noexcept {
  base = static_cast<ptrdiff_t>(static_cast<size_t>(base) + static_cast<size_t>(stride_product(count, stride[axis])));
}

StridedView contiguous_view(const Shape& shape) {
  StridedView view{shape, std::vector<ptrdiff_t>(shape.size()), 0};
  ptrdiff_t step = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    view.stride[i] = step;
    step = stride_product(step, shape[i]);
  }
  return view;
}

StridedView part_of(const Shape& whole, size_t axis, int64_t start, int64_t size) {
  StridedView view = contiguous_view(whole);
  view.advance(axis, start);
  view.shape[axis] = size;
  return view;
}

StridedView broadcast_view(const Shape& shape, const Shape& out) {
  const StridedView own = contiguous_view(shape);
  StridedView view{out, std::vector<ptrdiff_t>(out.size()), 0};
  const size_t missing = out.size() - shape.size();
  for (size_t i = 0; i < shape.size(); ++i) view.stride[missing + i] = shape[i] == 1 ? 0 : own.stride[i];
  return view;
}

namespace {
// Throws Unsupported for more dimensions than the kernel takes.
kernels::StridedCopy copy_between(const StridedView& src, const StridedView& dst) {
  kernels::StridedCopy copy;
  for (size_t i = 0; i < src.shape.size(); ++i) {
    if (src.shape[i] == 1) continue;
    const auto axis = static_cast<size_t>(copy.rank);
    if (axis == kernels::kMaxCopyRank) {
      throw unsupported_error("the shape {} has more than {} dimensions to move", to_string(src.shape), kernels::kMaxCopyRank);
    }
    copy.extent[axis] = to_size(src.shape[i]);
    copy.src_stride[axis] = src.stride[i];
    copy.dst_stride[axis] = dst.stride[i];
    ++copy.rank;
  }
  return copy;
}
}  // namespace

StridedMove::StridedMove(const StridedView& src, const StridedView& dst, DType dtype)
    : copy_(copy_between(src, dst)),
      plan_(copy_),
      src_base_(src.base),
      dst_base_(dst.base),
      bytes_(static_cast<ptrdiff_t>(element_bytes(dtype))),
      is_string_(dtype == DType::kString) {}

void StridedMove::run(const void* src, void* dst, core::ThreadPool& pool) const {
  if (plan_.tile_count() == 0) return;
  if (is_string_) return run_strings(static_cast<const std::string*>(src) + src_base_, static_cast<std::string*>(dst) + dst_base_);
  kernels::strided_copy(plan_, static_cast<size_t>(bytes_), static_cast<const std::byte*>(src) + src_base_ * bytes_,
                        static_cast<std::byte*>(dst) + dst_base_ * bytes_, pool);
}

void StridedMove::run_strings(const std::string* src, std::string* dst) const { copy_strings(copy_, src, dst); }

bool is_contiguous(const StridedView& view) noexcept {
  ptrdiff_t step = 1;
  for (size_t i = view.shape.size(); i-- > 0;) {
    if (view.shape[i] == 0 || (view.shape[i] > 1 && view.stride[i] != step)) return false;
    step = stride_product(step, view.shape[i]);
  }
  return true;
}

std::unique_ptr<Bound> bind_view(const StridedView& view, DType dtype) {
  const StridedMove move = move_between(view, view.shape, dtype);
  auto bound = make_bound(ValueFacts{dtype, view.shape, nullptr},
                          [move](const RunContext& r) { move.run(r.inputs[0].raw(), r.outputs[0].mutable_raw(), r.pool); });
  if (is_contiguous(view)) bound->output_views = {{0, static_cast<size_t>(view.base) * element_bytes(dtype)}};
  bound->kernel = "strided_copy";
  return bound;
}

}  // namespace sardonyx::ops
