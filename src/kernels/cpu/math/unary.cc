#include "kernels/cpu/math/unary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/math/unary.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/math/unary-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

template <class Body>
HWY_INLINE void map_line(const Body& body, const float* x, size_t size, float* y) {
  const FloatTag d;
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) hn::StoreU(body(hn::LoadU(d, x + i)), d, y + i);
  if (i < size) store_n(d, body(load_n(d, x + i, size - i)), y + i, size - i);
}

void map(UnaryOp op, const UnaryParams& params, const float* x, size_t size, float* y) {
  switch (op) {
#define SARDONYX_UNARY(name, ...) \
  case UnaryOp::k##name:          \
    return map_line([&](FloatVec v) HWY_ATTR { return bodies::name(FloatTag(), v, params); }, x, size, y);
#include "kernels/cpu/math/unary.inc"
#undef SARDONYX_UNARY
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(map);

namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

constexpr UnaryRow kRows[] = {
#define SARDONYX_UNARY(name, max_ulp, slack, oracle) \
  {UnaryOp::k##name, #name, max_ulp, slack,          \
   []([[maybe_unused]] double x, [[maybe_unused]] const UnaryParams& p) -> double { return oracle; }},
#include "kernels/cpu/math/unary.inc"
#undef SARDONYX_UNARY
};

}  // namespace

std::span<const UnaryRow> unary_rows() noexcept { return kRows; }

void unary(UnaryOp op, const UnaryParams& params, const float* x, float* y, size_t size, core::ThreadPool& pool) noexcept {
  constexpr size_t kValuesPerTask = 1 << 14;
  pool.for_ranges(size, kValuesPerTask, [&](size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(map)(op, params, x + begin, end - begin, y + begin);
  });
}

void unary_line(UnaryOp op, const UnaryParams& params, float* values, size_t size) noexcept {
  HWY_DYNAMIC_DISPATCH(map)(op, params, values, size, values);
}

}  // namespace sardonyx::kernels
#endif
