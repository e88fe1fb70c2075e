// The loops around the innermost dimension of a broadcast, cut into tasks.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/parallel.h"
#include "kernels/cpu/math/binary.h"

namespace sardonyx::kernels {

// A run of the innermost dimension: result elements [y, y + size), operands from a and b on with these strides.
struct BroadcastRun {
  ptrdiff_t a, b;
  size_t y;
  size_t size;
  ptrdiff_t a_stride, b_stride;
};

// Calls run(BroadcastRun) for all parts of the result, on several threads.
template <class Run>
void for_runs(const BroadcastShape& shape, core::ThreadPool& pool, const Run& run) noexcept {
  constexpr size_t kValuesPerTask = 1 << 14;
  const auto last = static_cast<size_t>(std::max(shape.rank - 1, 0));
  const size_t inner = shape.rank == 0 ? 1 : shape.extent[last];
  size_t outer = inner == 0 ? 0 : 1;
  for (size_t i = 0; i < last; ++i) outer *= shape.extent[i];
  const size_t parts = (inner + kValuesPerTask - 1) / kValuesPerTask;
  pool.for_ranges(outer * parts, std::max<size_t>(kValuesPerTask / std::max<size_t>(inner, 1), 1), [&](size_t begin, size_t end) {
    for (size_t item = begin; item < end; ++item) {
      const size_t first = item % parts * kValuesPerTask;
      BroadcastRun at = {0, 0, item / parts * inner + first, std::min(kValuesPerTask, inner - first), 0, 0};
      if (shape.rank > 0) at.a_stride = shape.a_stride[last], at.b_stride = shape.b_stride[last];
      at.a = static_cast<ptrdiff_t>(first) * at.a_stride;
      at.b = static_cast<ptrdiff_t>(first) * at.b_stride;
      size_t rest = item / parts;
      for (size_t i = last; i-- > 0; rest /= shape.extent[i]) {
        const auto index = static_cast<ptrdiff_t>(rest % shape.extent[i]);
        at.a += index * shape.a_stride[i];
        at.b += index * shape.b_stride[i];
      }
      run(at);
    }
  });
}

}  // namespace sardonyx::kernels
