#include "ops/lines/lines.h"

#include <algorithm>

#include "ops/facts.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

std::unique_ptr<Bound> bind_transposed(ValueFacts y, const Lines& lines, RowsFunction function) {
  const Shape apart = {to_int(lines.outer), to_int(lines.inner), to_int(lines.size)};
  const auto outer = static_cast<ptrdiff_t>(lines.size * lines.inner), inner = static_cast<ptrdiff_t>(lines.inner);
  const StridedView mixed = {apart, {outer, 1, inner}, 0};
  const StridedMove there(mixed, contiguous_view(apart), y.dtype), back(contiguous_view(apart), mixed, y.dtype);
  const size_t bytes = to_size(element_count(y.shape)) * element_bytes(y.dtype);
  auto bound = make_bound(std::move(y), [there, back, lines, function = std::move(function)](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    there.run(r.inputs[0].raw(), r.scratch, r.pool);
    function(lines.count(), lines.size, r.scratch, r.scratch, r.pool);
    back.run(r.scratch, r.outputs[0].mutable_raw(), r.pool);
  });
  bound->scratch_bytes = bytes;
  return bound;
}

}  // namespace

Lines lines_of(const Shape& x, size_t axis) noexcept {
  return {span_count(x, 0, axis), to_size(x[axis]), span_count(x, axis + 1, x.size())};
}

Lines lines_along(const Shape& x, int64_t axis, bool to_the_end) {
  const size_t rank = x.size();
  if (rank == 0) return {};
  if (!to_the_end) return lines_of(x, checked_axis(axis, rank));
  const size_t first = axis == to_int(rank) ? rank : checked_axis(axis, rank);
  return {span_count(x, 0, first), span_count(x, first, rank), 1};
}

RowsFunction each_row(DType dtype, RowFunction function) {
  return [bytes = element_bytes(dtype), function = std::move(function)](size_t rows, size_t size, const void* x, void* y,
                                                                        core::ThreadPool& pool) {
    pool.for_ranges(rows, std::max<size_t>(1, 8192 / std::max<size_t>(size, 1)), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const size_t first = row * size * bytes;
        function(size, static_cast<const std::byte*>(x) + first, static_cast<std::byte*>(y) + first);
      }
    });
  };
}

std::unique_ptr<Bound> bind_rows(ValueFacts y, const Lines& lines, RowsFunction function) {
  if (lines.inner > 1 && lines.size > 1) return bind_transposed(std::move(y), lines, std::move(function));
  auto bound = make_bound(std::move(y), [lines, function = std::move(function)](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    function(lines.count(), lines.size, r.inputs[0].raw(), r.outputs[0].mutable_raw(), r.pool);
  });
  bound->in_place_input = 0;
  return bound;
}

}  // namespace sardonyx::ops
