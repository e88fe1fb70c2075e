// Integers: plain loops, which compilers vectorise where it pays.
#include <type_traits>

#include "kernels/cpu/math/binary.h"
#include "kernels/cpu/math/broadcast.h"

namespace sardonyx::kernels {
namespace {

// Arithmetic that wraps around.
template <class T>
T wrap(std::make_unsigned_t<T> bits) {
  return static_cast<T>(bits);
}
template <class T>
std::make_unsigned_t<T> bits(T value) {
  return static_cast<std::make_unsigned_t<T>>(value);
}

template <class T>
T divide(T a, T b) {
  if (b == 0) return 0;
  if (b == -1) return wrap<T>(0 - bits(a));  // the least value has no positive counterpart
  return a / b;
}

template <class T>
T power(T base, T exponent) {
  if (exponent < 0) {
    if (base == 1) return 1;
    if (base == -1) return exponent % 2 == 0 ? 1 : -1;
    return 0;
  }
  std::make_unsigned_t<T> result = 1, square = bits(base);
  for (T e = exponent; e > 0; e /= 2, square *= square) {
    if (e % 2 != 0) result *= square;
  }
  return wrap<T>(result);
}

template <class T, class Op>
void combine_run(const Op& op, const T* a, ptrdiff_t a_stride, const T* b, ptrdiff_t b_stride, size_t size, T* y) {
  if (a_stride == 1 && b_stride == 1) {
    for (size_t i = 0; i < size; ++i) y[i] = op(a[i], b[i]);
  } else {
    for (size_t i = 0; i < size; ++i) y[i] = op(a[static_cast<ptrdiff_t>(i) * a_stride], b[static_cast<ptrdiff_t>(i) * b_stride]);
  }
}

template <class T>
void combine(BinaryOp op, const T* a, ptrdiff_t a_stride, const T* b, ptrdiff_t b_stride, size_t size, T* y) {
  const auto with = [&](auto body) { combine_run(body, a, a_stride, b, b_stride, size, y); };
  switch (op) {
    case BinaryOp::kAdd:
      return with([](T l, T r) { return wrap<T>(bits(l) + bits(r)); });
    case BinaryOp::kSub:
      return with([](T l, T r) { return wrap<T>(bits(l) - bits(r)); });
    case BinaryOp::kMul:
      return with([](T l, T r) { return wrap<T>(bits(l) * bits(r)); });
    case BinaryOp::kDiv:
      return with([](T l, T r) { return divide(l, r); });
    case BinaryOp::kMin:
      return with([](T l, T r) { return r < l ? r : l; });
    case BinaryOp::kMax:
      return with([](T l, T r) { return l < r ? r : l; });
    case BinaryOp::kPow:
      return with([](T l, T r) { return power(l, r); });
  }
}

template <class T>
void binary_of(BinaryOp op, const BroadcastShape& shape, const T* a, const T* b, T* y, core::ThreadPool& pool) {
  for_runs(shape, pool,
           [&](const BroadcastRun& run) { combine(op, a + run.a, run.a_stride, b + run.b, run.b_stride, run.size, y + run.y); });
}

}  // namespace

void binary(BinaryOp op, const BroadcastShape& shape, const int32_t* a, const int32_t* b, int32_t* y, core::ThreadPool& pool) noexcept {
  binary_of(op, shape, a, b, y, pool);
}

void binary(BinaryOp op, const BroadcastShape& shape, const int64_t* a, const int64_t* b, int64_t* y, core::ThreadPool& pool) noexcept {
  binary_of(op, shape, a, b, y, pool);
}

}  // namespace sardonyx::kernels
