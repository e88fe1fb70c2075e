// A strided copy brought to its simplest form: loops over two-dimensional faces, each cut into tiles.
#pragma once

#include <array>
#include <cstddef>

#include "kernels/cpu/copy/strided_copy.h"

namespace sardonyx::kernels {

// dst[r * dst_row + c * dst_column] = src[r * src_row + c * src_column]. Either one row (a line), or a transposition: source rows are
// contiguous (src_column == 1), destination columns too (dst_row == 1).
struct CopyFace {
  size_t rows = 1;
  size_t columns = 1;
  ptrdiff_t src_row = 0;
  ptrdiff_t src_column = 1;
  ptrdiff_t dst_row = 0;
  ptrdiff_t dst_column = 1;

  // Two to four source rows become one contiguous destination, and the reverse.
  bool is_woven() const noexcept { return rows >= 2 && rows <= 4 && dst_column == static_cast<ptrdiff_t>(rows); }
  bool is_unwoven() const noexcept { return columns >= 2 && columns <= 4 && src_row == static_cast<ptrdiff_t>(columns); }
};

struct CopyPlan {
  explicit CopyPlan(const StridedCopy& copy) noexcept;

  size_t tile_count() const noexcept { return outer_count * tiles_down * tiles_across; }

  StridedCopy outer;  // the loops around a face
  size_t outer_count = 1;
  CopyFace face;
  size_t tile_rows = 1, tile_columns = 1;  // of a whole tile; tiles at the edge are smaller
  size_t tiles_down = 1, tiles_across = 1;
};

// As strided_copy of strided_copy.h, worked out beforehand.
void strided_copy(const CopyPlan& plan, size_t element_bytes, const void* src, void* dst, core::ThreadPool& pool) noexcept;

// Walks over the tiles: across a face, down it, then to the next face.
class CopyCursor {
 public:
  CopyCursor(const CopyPlan& plan, size_t tile) noexcept;

  CopyFace tile() const noexcept;  // the plan's face, cut to this tile
  ptrdiff_t src_offset() const noexcept;
  ptrdiff_t dst_offset() const noexcept;
  void next() noexcept;

 private:
  const CopyPlan& plan_;
  size_t across_, down_;
  std::array<size_t, kMaxCopyRank> index_ = {};
  ptrdiff_t src_ = 0, dst_ = 0;  // of the face
};

}  // namespace sardonyx::kernels
