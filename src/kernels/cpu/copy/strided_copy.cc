#include "kernels/cpu/copy/strided_copy.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/copy/strided_copy.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/copy/copy_plan.h"
#include "kernels/cpu/simd-inl.h"
#include "kernels/cpu/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// dst[c * 2 + r] = src_r[c] for two, three or four rows of contiguous elements: what pixel shuffle does.
template <class T>
HWY_INLINE void weave(const T* HWY_RESTRICT src, ptrdiff_t row_stride, size_t rows, size_t columns, T* HWY_RESTRICT dst) {
  const hn::ScalableTag<T> d;
  constexpr size_t lanes = HWY_LANES(T);
  const T* row[4];
  for (size_t r = 0; r < rows; ++r) row[r] = src + static_cast<ptrdiff_t>(r) * row_stride;
  size_t c = 0;
  for (; c + lanes <= columns; c += lanes) {
    const auto row0 = hn::LoadU(d, row[0] + c);
    const auto row1 = hn::LoadU(d, row[1] + c);
    if (rows == 2) {
      hn::StoreInterleaved2(row0, row1, d, dst + 2 * c);
    } else if (rows == 3) {
      hn::StoreInterleaved3(row0, row1, hn::LoadU(d, row[2] + c), d, dst + 3 * c);
    } else {
      hn::StoreInterleaved4(row0, row1, hn::LoadU(d, row[2] + c), hn::LoadU(d, row[3] + c), d, dst + 4 * c);
    }
  }
  for (; c < columns; ++c) {
    for (size_t r = 0; r < rows; ++r) dst[c * rows + r] = row[r][c];
  }
}

// The reverse: dst_r[c] = src[c * 2 + r].
template <class T>
HWY_INLINE void unweave(const T* HWY_RESTRICT src, size_t rows, size_t columns, T* HWY_RESTRICT dst, ptrdiff_t row_stride) {
  const hn::ScalableTag<T> d;
  constexpr size_t lanes = HWY_LANES(T);
  T* row[4];
  for (size_t r = 0; r < rows; ++r) row[r] = dst + static_cast<ptrdiff_t>(r) * row_stride;
  size_t c = 0;
  for (; c + lanes <= columns; c += lanes) {
    hn::Vec<decltype(d)> row0, row1, row2, row3;
    if (rows == 2) {
      hn::LoadInterleaved2(d, src + 2 * c, row0, row1);
    } else if (rows == 3) {
      hn::LoadInterleaved3(d, src + 3 * c, row0, row1, row2);
      hn::StoreU(row2, d, row[2] + c);
    } else {
      hn::LoadInterleaved4(d, src + 4 * c, row0, row1, row2, row3);
      hn::StoreU(row2, d, row[2] + c);
      hn::StoreU(row3, d, row[3] + c);
    }
    hn::StoreU(row0, d, row[0] + c);
    hn::StoreU(row1, d, row[1] + c);
  }
  for (; c < columns; ++c) {
    for (size_t r = 0; r < rows; ++r) row[r][c] = src[c * rows + r];
  }
}

template <class T>
HWY_INLINE void copy_line(const CopyFace& face, const T* HWY_RESTRICT src, T* HWY_RESTRICT dst) {
  if (face.src_column == 1 && face.dst_column == 1) {
    std::memcpy(dst, src, face.columns * sizeof(T));
  } else if (face.src_column == 0 && face.dst_column == 1) {
    std::fill_n(dst, face.columns, *src);
  } else {
    for (size_t i = 0; i < face.columns; ++i)
      dst[static_cast<ptrdiff_t>(i) * face.dst_column] = src[static_cast<ptrdiff_t>(i) * face.src_column];
  }
}

template <class T>
HWY_INLINE void copy_face(const CopyFace& face, const T* HWY_RESTRICT src, T* HWY_RESTRICT dst) {
  if (face.rows == 1) return copy_line(face, src, dst);
  if constexpr (sizeof(T) <= 8) {
    if (face.is_woven()) return weave(src, face.src_row, face.rows, face.columns, dst);
    if (face.is_unwoven()) return unweave(src, face.columns, face.rows, dst, face.dst_column);
  }
  transpose(src, face.src_row, face.rows, face.columns, dst, face.dst_column);
}

template <class T>
void copy_tiles(const CopyPlan& plan, size_t first, size_t last, const T* src, T* dst) {
  CopyCursor cursor(plan, first);
  for (size_t i = first; i < last; ++i, cursor.next()) copy_face(cursor.tile(), src + cursor.src_offset(), dst + cursor.dst_offset());
}

struct Bytes16 {
  uint64_t halves[2];
};

void copy_tiles_of(size_t element_bytes, const CopyPlan& plan, size_t first, size_t last, const void* src, void* dst) {
  switch (element_bytes) {
    case 1:
      return copy_tiles(plan, first, last, static_cast<const uint8_t*>(src), static_cast<uint8_t*>(dst));
    case 2:
      return copy_tiles(plan, first, last, static_cast<const uint16_t*>(src), static_cast<uint16_t*>(dst));
    case 4:
      return copy_tiles(plan, first, last, static_cast<const uint32_t*>(src), static_cast<uint32_t*>(dst));
    case 8:
      return copy_tiles(plan, first, last, static_cast<const uint64_t*>(src), static_cast<uint64_t*>(dst));
    case 16:
      return copy_tiles(plan, first, last, static_cast<const Bytes16*>(src), static_cast<Bytes16*>(dst));
    default:
      HWY_ABORT("element size %zu", element_bytes);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(copy_tiles_of);

bool copy_supports(size_t element_bytes) noexcept {
  return element_bytes == 1 || element_bytes == 2 || element_bytes == 4 || element_bytes == 8 || element_bytes == 16;
}

void strided_copy(const StridedCopy& copy, size_t element_bytes, const void* src, void* dst, core::ThreadPool& pool) noexcept {
  strided_copy(CopyPlan(copy), element_bytes, src, dst, pool);
}

void strided_copy(const CopyPlan& plan, size_t element_bytes, const void* src, void* dst, core::ThreadPool& pool) noexcept {
  constexpr size_t kElementsPerTask = 1 << 14;
  const size_t tile_elements = std::max<size_t>(plan.tile_rows * plan.tile_columns, 1);
  pool.for_ranges(plan.tile_count(), std::max<size_t>(kElementsPerTask / tile_elements, 1), [&](size_t first, size_t last) {
    HWY_DYNAMIC_DISPATCH(copy_tiles_of)(element_bytes, plan, first, last, src, dst);
  });
}

}  // namespace sardonyx::kernels
#endif
