// How a product is cut into blocks, and the layout of packed operands that follows from it.
//
// Depth is cut into blocks of at most kDepthBlock; within a block, rows of A are cut into panels of nearly equal height (at most
// MicroTile::rows: no row is padded) and columns of B into panels of MicroTile::columns (the last one is padded with zeros).
//   packed A: [depth block][row panel][k][row]          k-major, so that the micro kernel walks both
//   packed B: [depth block][column panel][k][column]    operands with unit stride
// All of it depends on the shape and the SIMD target alone.
#pragma once

#include <cstddef>

#include "core/arena.h"

namespace sardonyx::kernels {

inline constexpr size_t kDepthBlock = 384;       // a column panel stays in the first-level cache
inline constexpr size_t kColumnBlock = 256;      // a block of B stays in the second-level cache
inline constexpr size_t kRowPanelsInBlock = 10;  // a block of A too

inline constexpr size_t divide_up(size_t a, size_t b) noexcept { return (a + b - 1) / b; }

// [0, size) in `parts` consecutive parts whose sizes differ by at most one.
struct Split {
  size_t size = 0;
  size_t parts = 0;

  static constexpr Split at_most(size_t size, size_t largest) noexcept { return {size, divide_up(size, largest)}; }
  constexpr size_t begin(size_t part) const noexcept {
    if (parts == 0) return 0;
    const size_t longer = size % parts;
    return part * (size / parts) + (part < longer ? part : longer);
  }
  constexpr size_t length(size_t part) const noexcept { return begin(part + 1) - begin(part); }
};

// The register tile of the SIMD target in use.
struct MicroTile {
  size_t rows = 1;
  size_t columns = 1;
};
MicroTile micro_tile() noexcept;

inline Split depth_blocks(size_t k) noexcept { return Split::at_most(k, kDepthBlock); }
inline Split row_panels(size_t m, const MicroTile& tile) noexcept { return Split::at_most(m, tile.rows); }
inline size_t padded_columns(size_t n, const MicroTile& tile) noexcept { return divide_up(n, tile.columns) * tile.columns; }

// Bytes of one thread's buffer for packed data, rounded so that neighbouring threads share no cache line.
inline size_t buffer_bytes(size_t floats) noexcept { return core::align_up(floats * sizeof(float)); }

}  // namespace sardonyx::kernels
