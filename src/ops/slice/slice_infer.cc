#include <algorithm>
#include <numeric>

#include "ops/facts.h"
#include "ops/slice/slice.h"

namespace sardonyx::ops {
namespace {

struct Range {
  int64_t start, count;
};

Range clamp_range(int64_t size, int64_t start, int64_t end, int64_t step) {
  // Forwards positions lie in [0, size]; backwards a start in [0, size - 1] and an end in [-1, size - 1].
  if (size == 0) return {0, 0};
  const int64_t most = step > 0 ? size : size - 1;
  const auto place = [&](int64_t position, int64_t least) {
    return std::clamp(position < 0 ? std::max(position, -size - 1) + size : position, least, most);
  };
  start = place(start, 0);
  end = place(end, step > 0 ? 0 : -1);
  const int64_t distance = step > 0 ? end - start : start - end;
  if (distance <= 0) return {0, 0};
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : uint64_t{0} - static_cast<uint64_t>(step);
  return {start, static_cast<int64_t>((static_cast<uint64_t>(distance) - 1) / stride + 1)};
}

}  // namespace

StridedView sliced_view(const SliceRanges& ranges, const Shape& x) {
  const size_t count = ranges.starts.size();
  std::vector<int64_t> axes = ranges.axes;
  if (axes.empty()) {
    axes.resize(count);
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (ranges.ends.size() != count || axes.size() != count || (!ranges.steps.empty() && ranges.steps.size() != count)) {
    throw argument_error("starts, ends, axes and steps differ in length: {}, {}, {}, {}", count, ranges.ends.size(), axes.size(),
                         ranges.steps.size());
  }
  checked_axes(axes, x.size());
  StridedView view = contiguous_view(x);
  for (size_t i = 0; i < count; ++i) {
    const size_t axis = checked_axis(axes[i], x.size());
    const int64_t step = ranges.steps.empty() ? 1 : ranges.steps[i];
    if (step == 0) throw argument_error("the step of axis {} is 0", axis);
    const Range range = clamp_range(x[axis], ranges.starts[i], ranges.ends[i], step);
    view.advance(axis, range.start);
    view.shape[axis] = range.count;
    // One element or none: the step does not matter.
    if (range.count > 1) view.stride[axis] = stride_product(view.stride[axis], step);
  }
  return view;
}

}  // namespace sardonyx::ops
