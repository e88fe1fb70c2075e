#include "kernels/cpu/gemm/pack.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm/pack.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"
#include "kernels/cpu/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE void copy_lanes(const float* from, size_t count, float* to) {
  const FloatTag d;
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
  if (i < count) store_n(d, load_n(d, from + i, count - i), to + i, count - i);
}

// packed[k * width + lane] = from[k * depth_stride + lane * lane_stride] for lane < lanes, 0 for lanes <= lane < width.
void pack_panel(const float* from, ptrdiff_t depth_stride, ptrdiff_t lane_stride, size_t depth, size_t lanes, size_t width, float* packed) {
  if (lane_stride == 1) {
    for (size_t k = 0; k < depth; ++k) {
      const float* row = from + static_cast<ptrdiff_t>(k) * depth_stride;
      hwy::Prefetch(row + 8 * depth_stride);
      hwy::Prefetch(row + 8 * depth_stride + kLanes);
      copy_lanes(row, lanes, packed + k * width);
    }
  } else if (depth_stride == 1) {
    transpose(from, lane_stride, lanes, depth, packed, static_cast<ptrdiff_t>(width));
  } else {
    for (size_t k = 0; k < depth; ++k) {
      const float* row = from + static_cast<ptrdiff_t>(k) * depth_stride;
      for (size_t lane = 0; lane < lanes; ++lane) {
        std::memcpy(packed + k * width + lane, row + static_cast<ptrdiff_t>(lane) * lane_stride, sizeof(float));
      }
    }
  }
  for (size_t k = 0; lanes < width && k < depth; ++k) std::memset(packed + k * width + lanes, 0, (width - lanes) * sizeof(float));
}

// Panels of `width` lanes side by side, a few rows of all of them at a time, so that the source is read in long runs.
void pack_panels(const float* from, ptrdiff_t depth_stride, ptrdiff_t lane_stride, size_t depth, size_t lanes, size_t width,
                 float* packed) {
  const size_t rows = lane_stride == 1 ? 8 : depth;
  for (size_t k = 0; k < depth; k += rows) {
    const size_t count = HWY_MIN(rows, depth - k);
    for (size_t i = 0; i < lanes; i += width) {
      const float* corner = from + static_cast<ptrdiff_t>(k) * depth_stride + static_cast<ptrdiff_t>(i) * lane_stride;
      pack_panel(corner, depth_stride, lane_stride, count, HWY_MIN(width, lanes - i), width, packed + i * depth + k * width);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(pack_panel);
HWY_EXPORT(pack_panels);

void pack_a_block(const Matrix& a, const Split& panels, size_t first_panel, size_t last_panel, size_t k, size_t depth,
                  float* packed) noexcept {
  for (size_t panel = first_panel; panel < last_panel; ++panel) {
    const size_t row = panels.begin(panel);
    const size_t rows = panels.length(panel);
    const float* from = a.data + static_cast<ptrdiff_t>(row) * a.row_stride + static_cast<ptrdiff_t>(k) * a.column_stride;
    HWY_DYNAMIC_DISPATCH(pack_panel)(from, a.column_stride, a.row_stride, depth, rows, rows, packed);
    packed += rows * depth;
  }
}

void pack_b_block(const Matrix& b, const MicroTile& tile, size_t k, size_t depth, size_t column, size_t columns, float* packed) noexcept {
  const float* from = b.data + static_cast<ptrdiff_t>(k) * b.row_stride + static_cast<ptrdiff_t>(column) * b.column_stride;
  HWY_DYNAMIC_DISPATCH(pack_panels)(from, b.row_stride, b.column_stride, depth, columns, tile.columns, packed);
}

std::string packed_layout() {
  constexpr int kVersion = 1;
  const MicroTile tile = micro_tile();
  return fmt::format("layout {}, tile {} x {}, depth {}", kVersion, tile.rows, tile.columns, kDepthBlock);
}

size_t packed_a_floats(size_t m, size_t k) noexcept { return m * k; }
size_t packed_b_floats(size_t k, size_t n) noexcept { return k * padded_columns(n, micro_tile()); }

void pack_a(size_t m, size_t k, const Matrix& a, float* packed) noexcept {
  const Split panels = row_panels(m, micro_tile());
  const Split blocks = depth_blocks(k);
  for (size_t i = 0; i < blocks.parts; ++i) {
    pack_a_block(a, panels, 0, panels.parts, blocks.begin(i), blocks.length(i), packed + blocks.begin(i) * m);
  }
}

void pack_b(size_t k, size_t n, const Matrix& b, float* packed, core::ThreadPool* pool) noexcept {
  const MicroTile tile = micro_tile();
  const Split depths = depth_blocks(k);
  const size_t column_blocks = divide_up(n, kColumnBlock);
  core::for_each(pool, depths.parts * column_blocks, [&](size_t i) {
    const size_t first = depths.begin(i / column_blocks), depth = depths.length(i / column_blocks);
    const size_t column = i % column_blocks * kColumnBlock;
    float* to = packed + first * padded_columns(n, tile) + column * depth;
    pack_b_block(b, tile, first, depth, column, std::min(kColumnBlock, n - column), to);
  });
}

}  // namespace sardonyx::kernels
#endif
