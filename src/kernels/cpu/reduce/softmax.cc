#include "kernels/cpu/reduce/softmax.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce/softmax.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/math/unary-inl.h"
#include "kernels/cpu/reduce/line-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// y[i] = body(x[i])
template <class Body>
HWY_INLINE void map_row(const float* x, size_t size, float* y, const Body& body) {
  const FloatTag d;
  for (size_t i = 0; i < size;) {
    const size_t end = HWY_MIN(size, i + kValuesBetweenChecks);
    for (; i < end; i += kLanes) {
      const size_t count = HWY_MIN(kLanes, size - i);
      store_n(d, body(load_n(d, x + i, count)), y + i, count);
    }
    if (end < size && core::interrupted()) return;
  }
}

HWY_INLINE FloatVec exp_below(FloatVec x, FloatVec greatest) { return bodies::Exp(FloatTag(), hn::Sub(x, greatest), UnaryParams()); }

// A row of one vector, as softmax_row: nothing goes through memory.
HWY_INLINE void softmax_short_row(const float* x, size_t size, float* y) {
  const FloatTag d;
  const auto used = hn::FirstN(d, size);
  const FloatVec values = hn::IfThenElse(used, load_n(d, x, size), hn::Set(d, MaxFold::kStart));
  const FloatVec greatest = hn::Set(d, fold_lanes(MaxFold(), d, values));
  const FloatVec powers = hn::IfThenElseZero(used, exp_below(values, greatest));
  store_n(d, hn::Div(powers, hn::Set(d, fold_lanes(SumFold(), d, powers))), y, size);
}

void softmax_row(const float* x, size_t size, float* y) {
  if (size <= kLanes) return softmax_short_row(x, size, y);
  const FloatTag d;
  const FloatVec greatest = hn::Set(d, fold_line(MaxFold(), x, size));
  map_row(x, size, y, [&](FloatVec v) HWY_ATTR { return exp_below(v, greatest); });
  const FloatVec sum = hn::Set(d, fold_line(SumFold(), y, size));
  map_row(y, size, y, [&](FloatVec v) HWY_ATTR { return hn::Div(v, sum); });
}

// The sum of exp_below over a row, which may be overwritten only when all of it has been read.
float sum_exp_below(const float* x, size_t size, FloatVec greatest) {
  const FloatTag d;
  FloatVec sum = hn::Zero(d);
  for (size_t i = 0; i < size; i += kLanes) {
    if (i > 0 && i % kValuesBetweenChecks == 0 && core::interrupted()) return 0;
    const size_t count = HWY_MIN(kLanes, size - i);
    sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, count), exp_below(load_n(d, x + i, count), greatest)));
  }
  return fold_lanes(SumFold(), d, sum);
}

void log_softmax_row(const float* x, size_t size, float* y) {
  const FloatTag d;
  const FloatVec greatest = hn::Set(d, fold_line(MaxFold(), x, size));
  const FloatVec log_sum = hn::Set(d, std::log(sum_exp_below(x, size, greatest)));
  map_row(x, size, y, [&](FloatVec v) HWY_ATTR { return hn::Sub(hn::Sub(v, greatest), log_sum); });
}

void softmax_rows(size_t rows, size_t size, bool log, const float* x, float* y) {
  for (size_t row = 0; row < rows; ++row, x += size, y += size) log ? log_softmax_row(x, size, y) : softmax_row(x, size, y);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(softmax_rows);

void softmax(size_t rows, size_t size, bool log, const float* x, float* y, core::ThreadPool& pool) noexcept {
  constexpr size_t kValuesPerTask = 1 << 13;
  if (size == 0) return;
  pool.for_ranges(rows, kValuesPerTask / size, [&](size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(softmax_rows)(end - begin, size, log, x + begin * size, y + begin * size);
  });
}

}  // namespace sardonyx::kernels
#endif
