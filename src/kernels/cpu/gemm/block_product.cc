#include "kernels/cpu/gemm/block_product.h"

#include <array>
#include <utility>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm/block_product.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/gemm/epilogue-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// A register tile is kMaxRows x 2 vectors of accumulators; two vectors of B and one of A need registers too.
constexpr size_t kMaxRows = (HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON) ? 14 : 6;
constexpr size_t kTileColumns = 2 * kLanes;

MicroTile tile_of_target() { return {kMaxRows, kTileColumns}; }

// A is read once for each strip of B, from a farther cache: it is asked for this many k ahead.
constexpr size_t kRowsAhead = 64;

// The two ways to walk the rows of a right operand: packed panels, or an offset for each row.
struct PackedRows {
  HWY_INLINE const float* row(size_t k) const { return b + k * kTileColumns; }
  const float* HWY_RESTRICT b;
};
struct OffsetRows {
  HWY_INLINE const float* row(size_t k) const { return b + offsets[k]; }
  const float* HWY_RESTRICT b;
  const int32_t* HWY_RESTRICT offsets;
};

// tile (rows x kTileColumns, contiguous) = A panel (depth x rows) transposed * rows of B (depth x kTileColumns).
template <class Rows, size_t... kRow>
HWY_INLINE void accumulate(std::index_sequence<kRow...>, size_t depth, const float* HWY_RESTRICT a, const Rows& b,
                           float* HWY_RESTRICT tile) {
  const FloatTag d;
  FloatVec left[] = {((void)kRow, hn::Zero(d))...};
  FloatVec right[] = {((void)kRow, hn::Zero(d))...};
  for (size_t k = 0; k < depth; ++k, a += sizeof...(kRow)) {
    const FloatVec b_left = hn::LoadU(d, b.row(k));
    const FloatVec b_right = hn::LoadU(d, b.row(k) + kLanes);
    hwy::Prefetch(a + kRowsAhead * sizeof...(kRow));
    ((left[kRow] = hn::MulAdd(hn::Set(d, a[kRow]), b_left, left[kRow]),
      right[kRow] = hn::MulAdd(hn::Set(d, a[kRow]), b_right, right[kRow])),
     ...);
  }
  ((hn::StoreU(left[kRow], d, tile + kRow * kTileColumns), hn::StoreU(right[kRow], d, tile + kRow * kTileColumns + kLanes)), ...);
}

// For one vector of columns or fewer.
template <class Rows, size_t... kRow>
HWY_INLINE void accumulate_narrow(std::index_sequence<kRow...>, size_t depth, const float* HWY_RESTRICT a, const Rows& b,
                                  float* HWY_RESTRICT tile) {
  const FloatTag d;
  FloatVec sum[] = {((void)kRow, hn::Zero(d))...};
  for (size_t k = 0; k < depth; ++k, a += sizeof...(kRow)) {
    const FloatVec b_left = hn::LoadU(d, b.row(k));
    ((sum[kRow] = hn::MulAdd(hn::Set(d, a[kRow]), b_left, sum[kRow])), ...);
  }
  (hn::StoreU(sum[kRow], d, tile + kRow * kTileColumns), ...);
}

template <class Rows, size_t kRows>
void accumulate_rows(size_t depth, size_t columns, const float* a, const Rows& b, float* tile) {
  if (columns > kLanes) {
    accumulate(std::make_index_sequence<kRows>(), depth, a, b, tile);
  } else {
    accumulate_narrow(std::make_index_sequence<kRows>(), depth, a, b, tile);
  }
}

template <class Rows>
using AccumulateRows = void (*)(size_t depth, size_t columns, const float* a, const Rows& b, float* tile);
template <class Rows, size_t... kIndex>
constexpr std::array<AccumulateRows<Rows>, sizeof...(kIndex)> accumulate_table(std::index_sequence<kIndex...>) {
  return {accumulate_rows<Rows, kIndex + 1>...};
}
// By panel height, less one.
template <class Rows>
constexpr auto kAccumulate = accumulate_table<Rows>(std::make_index_sequence<kMaxRows>());

// `count` columns of the walk over B, which passes `pitch` columns for each line and has results in the first block.columns of them.
struct Strip {
  size_t line, column;  // of the first one
  size_t count, pitch;
};

// One row of a register tile becomes C, line by line.
HWY_INLINE void store_strip(const BlockProduct& block, const Epilogue& epilogue, const EpilogueVectors& vectors, const Strip& strip,
                            size_t row, const float* sums) {
  float* c = block.c + static_cast<ptrdiff_t>(row) * block.c_row_stride;
  size_t line = strip.line;
  size_t column = strip.column;
  for (size_t done = 0; done < strip.count;) {
    if (column < block.columns) {
      const size_t count = HWY_MIN(strip.count - done, block.columns - column);
      const size_t at = line * block.c_line_stride + column;
      store_row(epilogue, vectors, block.stage, row, at, count, sums + done, c + at);
    }
    done += strip.pitch - column;
    column = 0;
    ++line;
  }
}

// C is wanted when the register tile is done: by then it has arrived.
HWY_INLINE void prefetch_strip(const BlockProduct& block, const Strip& strip, size_t row, size_t rows) {
  const float* c = block.c + strip.line * block.c_line_stride + strip.column;
  for (size_t r = 0; r < rows; ++r) {
    const float* at = c + static_cast<ptrdiff_t>(row + r) * block.c_row_stride;
    hwy::Prefetch(at);
    hwy::Prefetch(at + kLanes);
  }
}

// The strip's columns outside, panels inside: a strip of B stays in the first-level cache while the panels of A stream past it.
template <class Rows>
void multiply_strip(const BlockProduct& block, const Epilogue& epilogue, const EpilogueVectors& vectors, const Strip& strip,
                    const Rows& b) {
  HWY_ALIGN float tile[kMaxRows * kTileColumns];
  const size_t first_row = block.panels.begin(block.first_panel);
  for (size_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const size_t row = block.panels.begin(panel) - first_row;
    const size_t rows = block.panels.length(panel);
    prefetch_strip(block, strip, row, rows);
    kAccumulate<Rows>[rows - 1](block.depth, strip.count, block.a + row * block.depth, b, tile);
    for (size_t r = 0; r < rows; ++r) store_strip(block, epilogue, vectors, strip, row + r, tile + r * kTileColumns);
  }
}

// All lines as one walk over B, with the columns between lines computed for nothing; or line by line, with the rest of each line's last
// vector computed for nothing.
void multiply_walk(const BlockProduct& block, const Epilogue& epilogue) {
  const EpilogueVectors vectors(epilogue);
  const size_t pitch = block.b_offsets ? block.b_pitch : block.columns;
  const size_t columns = (block.lines - 1) * pitch + block.columns;
  for (size_t first = 0; first < columns; first += kTileColumns) {
    const Strip strip = {first / pitch, first % pitch, HWY_MIN(kTileColumns, columns - first), pitch};
    if (block.b_offsets) {
      multiply_strip(block, epilogue, vectors, strip, OffsetRows{block.b + first, block.b_offsets});
    } else {
      multiply_strip(block, epilogue, vectors, strip, PackedRows{block.b + first * block.depth});
    }
  }
}

void multiply(const BlockProduct& block, const Epilogue& epilogue) {
  const size_t walk = (block.lines - 1) * block.b_pitch + block.columns;
  if (divide_up(walk, kLanes) < block.lines * divide_up(block.columns, kLanes)) return multiply_walk(block, epilogue);
  BlockProduct line = block;
  line.lines = 1;
  for (size_t i = 0; i < block.lines; ++i, line.b += block.b_pitch, line.c += block.c_line_stride) {
    multiply_walk(line, epilogue_at(epilogue, 0, i * block.c_line_stride));
  }
}

void tile_product(const TileProduct& product) {
  for (size_t panel = 0; panel < product.panels.parts; ++panel) {
    const size_t row = product.panels.begin(panel);
    kAccumulate<PackedRows>[product.panels.length(panel) - 1](product.depth, product.columns, product.a + row * product.depth,
                                                              PackedRows{product.b}, product.c + row * kTileColumns);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(tile_of_target);
HWY_EXPORT(multiply);
HWY_EXPORT(tile_product);

MicroTile micro_tile() noexcept { return HWY_DYNAMIC_DISPATCH(tile_of_target)(); }

namespace {

// The activation's function on all results of the block at once: lines are long enough there for what a call costs.
void apply_function(const BlockProduct& block, const Activation& activation) noexcept {
  const bool joined = block.lines == 1 || block.c_line_stride == block.columns;
  const size_t lines = joined ? 1 : block.lines, count = joined ? block.lines * block.columns : block.columns;
  const size_t rows = block.panels.begin(block.last_panel) - block.panels.begin(block.first_panel);
  if (joined && block.c_row_stride == static_cast<ptrdiff_t>(count)) {
    return unary_line(*activation.function, activation.params, block.c, rows * count);
  }
  for (size_t row = 0; row < rows; ++row) {
    float* c = block.c + static_cast<ptrdiff_t>(row) * block.c_row_stride;
    for (size_t line = 0; line < lines; ++line) {
      unary_line(*activation.function, activation.params, c + line * block.c_line_stride, count);
    }
  }
}

}  // namespace

void multiply_block(const BlockProduct& block, const Epilogue& epilogue) noexcept {
  HWY_DYNAMIC_DISPATCH(multiply)(block, epilogue);
  if (block.stage.is_last && epilogue.activation.function) apply_function(block, epilogue.activation);
}

void multiply_to_tiles(const TileProduct& product) noexcept { HWY_DYNAMIC_DISPATCH(tile_product)(product); }

Epilogue epilogue_at(const Epilogue& whole, size_t row, size_t column) noexcept {
  Epilogue part = whole;
  if (part.row_bias) part.row_bias += row;
  if (part.column_bias) part.column_bias += column;
  if (part.addend) {
    part.addend += static_cast<ptrdiff_t>(row) * whole.addend_row_stride + static_cast<ptrdiff_t>(column) * whole.addend_column_stride;
  }
  return part;
}

}  // namespace sardonyx::kernels
#endif
