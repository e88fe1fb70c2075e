// Copies between two strided views of the same extents: transpose, slice, concat, expand, the inside of a pad, space to depth.
// Knows the size of an element, never its type.
#pragma once

#include <array>
#include <cstddef>

#include "core/parallel.h"

namespace sardonyx::kernels {

// Callers refuse tensors of higher rank.
inline constexpr int kMaxCopyRank = 16;

// Strides count elements; they may be negative (the base pointer is then that of index 0). A source stride of 0 repeats the source.
// Destination elements must not overlap each other, nor the source.
struct StridedCopy {
  int rank = 0;  // 0: a single element
  std::array<size_t, kMaxCopyRank> extent = {};
  std::array<ptrdiff_t, kMaxCopyRank> src_stride = {};
  std::array<ptrdiff_t, kMaxCopyRank> dst_stride = {};
};

// Whether element sizes of this many bytes are served: 1, 2, 4, 8, 16.
bool copy_supports(size_t element_bytes) noexcept;

void strided_copy(const StridedCopy& copy, size_t element_bytes, const void* src, void* dst, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
