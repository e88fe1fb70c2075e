// The way from sums of products to C. Compiled once per SIMD target.
#if defined(SARDONYX_KERNELS_CPU_GEMM_EPILOGUE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_GEMM_EPILOGUE_INL_H_
#undef SARDONYX_KERNELS_CPU_GEMM_EPILOGUE_INL_H_
#else
#define SARDONYX_KERNELS_CPU_GEMM_EPILOGUE_INL_H_
#endif

#include "kernels/cpu/gemm/block_product.h"
#include "kernels/cpu/gemm/gemm.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

// What is the same for all elements, as vectors.
struct EpilogueVectors {
  explicit HWY_INLINE EpilogueVectors(const Epilogue& e)
      : alpha(hn::Set(FloatTag(), e.alpha)),
        beta(hn::Set(FloatTag(), e.beta)),
        lower(hn::Set(FloatTag(), e.activation.lower)),
        upper(hn::Set(FloatTag(), e.activation.upper)) {}
  FloatVec alpha, beta, lower, upper;
};

// `count` elements of C0 in row `row` from `column` on.
HWY_INLINE FloatVec load_addend(const Epilogue& e, size_t row, size_t column, size_t count) {
  const FloatTag d;
  const float* from =
      e.addend + static_cast<ptrdiff_t>(row) * e.addend_row_stride + static_cast<ptrdiff_t>(column) * e.addend_column_stride;
  if (e.addend_column_stride == 1) return load_n(d, from, count);
  HWY_ALIGN float lanes[kLanes] = {};
  for (size_t i = 0; i < count; ++i) lanes[i] = from[static_cast<ptrdiff_t>(i) * e.addend_column_stride];
  return hn::Load(d, lanes);
}

// alpha * sum + biases + beta * addend, for `count` elements of row `row` from `column` on.
HWY_INLINE FloatVec finish_linear(const Epilogue& e, const EpilogueVectors& v, size_t row, size_t column, size_t count, FloatVec sum) {
  const FloatTag d;
  sum = hn::Mul(sum, v.alpha);
  if (e.row_bias) sum = hn::Add(sum, hn::Set(d, e.row_bias[row]));
  if (e.column_bias) sum = hn::Add(sum, load_n(d, e.column_bias + column, count));
  if (e.addend) sum = hn::MulAdd(v.beta, load_addend(e, row, column, count), sum);
  return sum;
}

// `count` sums of row `row` from `column` on become C at `c`.
HWY_INLINE void store_vector(const Epilogue& e, const EpilogueVectors& v, const Stage& stage, size_t row, size_t column, size_t count,
                             FloatVec sum, float* c) {
  const FloatTag d;
  sum = stage.is_first ? finish_linear(e, v, row, column, count, sum) : hn::MulAdd(v.alpha, sum, load_n(d, c, count));
  if (stage.is_last) sum = clamp(d, sum, v.lower, v.upper);
  store_n(d, sum, c, count);
}

// `columns` sums of row `row` from `column` on become C: `c` is where the first one goes.
HWY_INLINE void store_row(const Epilogue& e, const EpilogueVectors& v, const Stage& stage, size_t row, size_t column, size_t columns,
                          const float* HWY_RESTRICT sums, float* c) {
  const FloatTag d;
  size_t i = 0;
  for (; i + kLanes <= columns; i += kLanes) store_vector(e, v, stage, row, column + i, kLanes, hn::LoadU(d, sums + i), c + i);
  if (i < columns) store_vector(e, v, stage, row, column + i, columns - i, load_n(d, sums + i, columns - i), c + i);
  if (stage.is_last && e.activation.function) unary_line(*e.activation.function, e.activation.params, c, columns);
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
