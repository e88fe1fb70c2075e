// Transposition of a small block, for packing and for copies. Compiled once per SIMD target.
#if defined(SARDONYX_KERNELS_CPU_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_TRANSPOSE_INL_H_
#undef SARDONYX_KERNELS_CPU_TRANSPOSE_INL_H_
#else
#define SARDONYX_KERNELS_CPU_TRANSPOSE_INL_H_
#endif

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

// Four rows, one vector of columns each: rows are woven into groups of four and each group is moved to its place.
template <class T>
HWY_INLINE void transpose_four_rows(const T* HWY_RESTRICT src, ptrdiff_t src_stride, T* HWY_RESTRICT dst, ptrdiff_t dst_stride) {
  const hn::ScalableTag<T> d;
  constexpr size_t lanes = HWY_LANES(T);
  HWY_ALIGN T woven[4 * lanes];
  hn::StoreInterleaved4(hn::LoadU(d, src), hn::LoadU(d, src + src_stride), hn::LoadU(d, src + 2 * src_stride),
                        hn::LoadU(d, src + 3 * src_stride), d, woven);
  for (size_t i = 0; i < lanes; ++i) std::memcpy(dst + static_cast<ptrdiff_t>(i) * dst_stride, woven + 4 * i, 4 * sizeof(T));
}

// dst[c][r] = src[r][c]; neither needs to be aligned. Strides are between rows of src and between rows of dst.
template <class T>
HWY_INLINE void transpose(const T* HWY_RESTRICT src, ptrdiff_t src_stride, size_t rows, size_t columns, T* HWY_RESTRICT dst,
                          ptrdiff_t dst_stride) {
  size_t vector_rows = 0;
  size_t vector_columns = 0;
  if constexpr (sizeof(T) <= 8) {  // no lanes are wider
    constexpr size_t lanes = HWY_LANES(T);
    vector_rows = rows / 4 * 4;
    vector_columns = columns / lanes * lanes;
    for (size_t c = 0; c < vector_columns; c += lanes) {
      for (size_t r = 0; r < vector_rows; r += 4) {
        transpose_four_rows(src + static_cast<ptrdiff_t>(r) * src_stride + c, src_stride, dst + static_cast<ptrdiff_t>(c) * dst_stride + r,
                            dst_stride);
      }
    }
  }
  for (size_t r = 0; r < rows; ++r) {
    const T* from = src + static_cast<ptrdiff_t>(r) * src_stride;
    for (size_t c = r < vector_rows ? vector_columns : 0; c < columns; ++c) {
      std::memcpy(dst + static_cast<ptrdiff_t>(c) * dst_stride + r, from + c, sizeof(T));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
