#include "kernels/cpu/copy/copy_plan.h"

#include <algorithm>
#include <cstdlib>

namespace sardonyx::kernels {
namespace {

constexpr size_t kTileSide = 64;    // a transposed tile's source and destination stay in the first-level cache
constexpr size_t kLineTile = 8192;  // elements of a line, or of a woven strip

struct Dimension {
  size_t extent;
  ptrdiff_t src, dst;
};

Dimension dimension(const StridedCopy& copy, int i) {
  const auto at = static_cast<size_t>(i);
  return {copy.extent[at], copy.src_stride[at], copy.dst_stride[at]};
}

void set(StridedCopy& copy, int i, const Dimension& value) {
  const auto at = static_cast<size_t>(i);
  copy.extent[at] = value.extent;
  copy.src_stride[at] = value.src;
  copy.dst_stride[at] = value.dst;
}

void remove(StridedCopy& copy, int i) {
  for (; i + 1 < copy.rank; ++i) set(copy, i, dimension(copy, i + 1));
  --copy.rank;
}

// Outer dimensions have the greater destination strides: the destination is written in order as far as can be.
bool is_outer(const Dimension& a, const Dimension& b) {
  const ptrdiff_t a_dst = std::abs(a.dst), b_dst = std::abs(b.dst);
  return a_dst != b_dst ? a_dst > b_dst : std::abs(a.src) > std::abs(b.src);
}

// Dimensions of one element go, the others are sorted (stably, by insertion), neighbours that advance together become one. Of an empty
// copy one empty dimension is left: its other extents and strides may be of any size.
StridedCopy simplified(const StridedCopy& copy) {
  StridedCopy result;
  for (int i = 0; i < copy.rank; ++i) {
    const Dimension added = dimension(copy, i);
    if (added.extent == 1) continue;
    if (added.extent == 0) return {.rank = 1};
    int at = result.rank++;
    for (; at > 0 && is_outer(added, dimension(result, at - 1)); --at) set(result, at, dimension(result, at - 1));
    set(result, at, added);
  }
  for (int i = result.rank - 1; i > 0; --i) {
    const Dimension inner = dimension(result, i), outer = dimension(result, i - 1);
    const auto extent = static_cast<ptrdiff_t>(inner.extent);
    if (outer.src != extent * inner.src || outer.dst != extent * inner.dst) continue;
    set(result, i - 1, {outer.extent * inner.extent, inner.src, inner.dst});
    remove(result, i);
  }
  return result;
}

// Takes the dimensions of the face out of `outer`.
CopyFace take_face(StridedCopy& outer) {
  CopyFace face;
  if (outer.rank == 0) return face;
  const Dimension last = dimension(outer, outer.rank - 1);
  remove(outer, outer.rank - 1);
  const bool wants_transposition = last.dst == 1 && last.src != 1 && last.src != 0;
  for (int i = outer.rank - 1; wants_transposition && i >= 0; --i) {
    const Dimension other = dimension(outer, i);
    if (other.src != 1) continue;
    remove(outer, i);
    return {last.extent, other.extent, last.src, 1, 1, other.dst};
  }
  return {1, last.extent, 0, last.src, 0, last.dst};
}

}  // namespace

CopyPlan::CopyPlan(const StridedCopy& copy) noexcept : outer(simplified(copy)), face(take_face(outer)) {
  for (int i = 0; i < outer.rank; ++i) outer_count *= outer.extent[static_cast<size_t>(i)];
  const bool is_block = face.rows > 1 && !face.is_woven() && !face.is_unwoven();
  const size_t longest = is_block ? kTileSide : kLineTile;
  tile_rows = std::min(face.rows, longest);
  tile_columns = std::min(face.columns, longest);
  if (tile_rows == 0 || tile_columns == 0) outer_count = 0;
  if (outer_count == 0) return;
  tiles_down = (face.rows + tile_rows - 1) / tile_rows;
  tiles_across = (face.columns + tile_columns - 1) / tile_columns;
}

CopyCursor::CopyCursor(const CopyPlan& plan, size_t tile) noexcept
    : plan_(plan), across_(tile % plan.tiles_across), down_(tile / plan.tiles_across % plan.tiles_down) {
  size_t rest = tile / plan.tiles_across / plan.tiles_down;
  for (int i = plan.outer.rank - 1; i >= 0; --i) {
    const auto at = static_cast<size_t>(i);
    index_[at] = rest % plan.outer.extent[at];
    rest /= plan.outer.extent[at];
    src_ += static_cast<ptrdiff_t>(index_[at]) * plan.outer.src_stride[at];
    dst_ += static_cast<ptrdiff_t>(index_[at]) * plan.outer.dst_stride[at];
  }
}

CopyFace CopyCursor::tile() const noexcept {
  CopyFace face = plan_.face;
  face.rows = std::min(plan_.tile_rows, plan_.face.rows - down_ * plan_.tile_rows);
  face.columns = std::min(plan_.tile_columns, plan_.face.columns - across_ * plan_.tile_columns);
  return face;
}

ptrdiff_t CopyCursor::src_offset() const noexcept {
  return src_ + static_cast<ptrdiff_t>(down_ * plan_.tile_rows) * plan_.face.src_row +
         static_cast<ptrdiff_t>(across_ * plan_.tile_columns) * plan_.face.src_column;
}

ptrdiff_t CopyCursor::dst_offset() const noexcept {
  return dst_ + static_cast<ptrdiff_t>(down_ * plan_.tile_rows) * plan_.face.dst_row +
         static_cast<ptrdiff_t>(across_ * plan_.tile_columns) * plan_.face.dst_column;
}

void CopyCursor::next() noexcept {
  if (++across_ < plan_.tiles_across) return;
  across_ = 0;
  if (++down_ < plan_.tiles_down) return;
  down_ = 0;
  for (int i = plan_.outer.rank - 1; i >= 0; --i) {
    const auto at = static_cast<size_t>(i);
    src_ += plan_.outer.src_stride[at];
    dst_ += plan_.outer.dst_stride[at];
    if (++index_[at] < plan_.outer.extent[at]) return;
    src_ -= static_cast<ptrdiff_t>(index_[at]) * plan_.outer.src_stride[at];
    dst_ -= static_cast<ptrdiff_t>(index_[at]) * plan_.outer.dst_stride[at];
    index_[at] = 0;
  }
}

}  // namespace sardonyx::kernels
