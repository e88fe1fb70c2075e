#include "kernels/cpu/math/binary.h"

#include <cmath>

#include "kernels/cpu/math/broadcast.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/math/binary.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/reduce/line-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// `count` elements with a stride of 1, 0 or anything else.
HWY_INLINE FloatVec load_operand(const float* from, ptrdiff_t stride, size_t count) {
  const FloatTag d;
  if (stride == 1) return load_n(d, from, count);
  if (stride == 0) return hn::Set(d, *from);
  HWY_ALIGN float lanes[kLanes] = {};
  for (size_t i = 0; i < count; ++i) lanes[i] = from[static_cast<ptrdiff_t>(i) * stride];
  return hn::Load(d, lanes);
}

HWY_INLINE FloatVec pow_lanes(FloatVec a, FloatVec b) {
  const FloatTag d;
  HWY_ALIGN float base[kLanes];
  HWY_ALIGN float exponent[kLanes];
  hn::Store(a, d, base);
  hn::Store(b, d, exponent);
  for (size_t i = 0; i < kLanes; ++i) base[i] = std::pow(base[i], exponent[i]);
  return hn::Load(d, base);
}

template <class Op>
HWY_INLINE void combine_run(const Op& op, const float* a, ptrdiff_t a_stride, const float* b, ptrdiff_t b_stride, size_t size, float* y) {
  const FloatTag d;
  for (size_t i = 0; i < size; i += kLanes) {
    const size_t count = HWY_MIN(kLanes, size - i);
    const auto at = static_cast<ptrdiff_t>(i);
    store_n(d, op(load_operand(a + at * a_stride, a_stride, count), load_operand(b + at * b_stride, b_stride, count)), y + i, count);
  }
}

void combine(BinaryOp op, const float* a, ptrdiff_t a_stride, const float* b, ptrdiff_t b_stride, size_t size, float* y) {
  const auto with = [&](auto body) HWY_ATTR { combine_run(body, a, a_stride, b, b_stride, size, y); };
  using V = FloatVec;
  switch (op) {
    case BinaryOp::kAdd:
      return with([](V l, V r) HWY_ATTR { return hn::Add(l, r); });
    case BinaryOp::kSub:
      return with([](V l, V r) HWY_ATTR { return hn::Sub(l, r); });
    case BinaryOp::kMul:
      return with([](V l, V r) HWY_ATTR { return hn::Mul(l, r); });
    case BinaryOp::kDiv:
      return with([](V l, V r) HWY_ATTR { return hn::Div(l, r); });
    case BinaryOp::kMin:
      return with([](V l, V r) HWY_ATTR { return min_or_nan(l, r); });
    case BinaryOp::kMax:
      return with([](V l, V r) HWY_ATTR { return max_or_nan(l, r); });
    case BinaryOp::kPow:
      return with([](V l, V r) HWY_ATTR { return pow_lanes(l, r); });
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(combine);

namespace {

bool is_single_value(const BroadcastShape& shape, const std::array<ptrdiff_t, kMaxBroadcastRank>& stride) {
  return std::all_of(stride.begin(), stride.begin() + shape.rank, [](ptrdiff_t s) { return s == 0; });
}

}  // namespace

void binary(BinaryOp op, const BroadcastShape& shape, const float* a, const float* b, float* y, core::ThreadPool& pool) noexcept {
  const bool is_empty = std::find(shape.extent.begin(), shape.extent.begin() + shape.rank, size_t{0}) != shape.extent.begin() + shape.rank;
  if (!is_empty && op == BinaryOp::kPow && is_single_value(shape, shape.b_stride) && *b == 2.0f) {
    BroadcastShape square = shape;
    square.b_stride = shape.a_stride;
    return binary(BinaryOp::kMul, square, a, a, y, pool);
  }
  for_runs(shape, pool, [&](const BroadcastRun& run) {
    HWY_DYNAMIC_DISPATCH(combine)(op, a + run.a, run.a_stride, b + run.b, run.b_stride, run.size, y + run.y);
  });
}

}  // namespace sardonyx::kernels
#endif
