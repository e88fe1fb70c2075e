// The inner product of the engine: one block of C from packed blocks of A and B, one depth block at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/gemm/blocking.h"
#include "kernels/cpu/gemm/gemm.h"

namespace sardonyx::kernels {

// Where a depth block stands in the sum. The first one overwrites C and applies all of the epilogue but the activation, later ones add
// to C, the last one applies the activation: so C0 may be C itself.
struct Stage {
  bool is_first = true;
  bool is_last = true;
};

// The right operand is either packed panels (one line), or data with an offset for each k:
//   B(k, line, column) = b[b_offsets[k] + line * b_pitch + column],
// where whole vectors are read: up to a register tile past the last column. C has lines too, c_line_stride apart within each row.
struct BlockProduct {
  size_t depth = 0;
  Split panels;            // row panels of the whole A
  size_t first_panel = 0;  // the panels of this block: [first_panel, last_panel)
  size_t last_panel = 0;
  const float* a = nullptr;  // packed, at first_panel
  const float* b = nullptr;
  const int32_t* b_offsets = nullptr;  // nullptr: b is packed panels
  size_t b_pitch = 0;
  size_t lines = 1;
  size_t columns = 0;  // of each line
  float* c = nullptr;  // at the first row, line and column of this block
  ptrdiff_t c_row_stride = 0;
  size_t c_line_stride = 0;
  Stage stage;
};

// `epilogue` has its pointers at the block's first row and column.
void multiply_block(const BlockProduct& block, const Epilogue& epilogue) noexcept;

// A product of at most one column panel, nothing added: C is register tiles one below the other, MicroTile::columns floats to a row;
// columns past `columns` hold anything.
struct TileProduct {
  Split panels;
  size_t depth = 0;
  const float* a = nullptr;  // packed
  const float* b = nullptr;  // one packed panel
  size_t columns = 0;
  float* c = nullptr;
};
void multiply_to_tiles(const TileProduct& product) noexcept;

// The epilogue of a part of C that begins at (row, column).
Epilogue epilogue_at(const Epilogue& whole, size_t row, size_t column) noexcept;

}  // namespace sardonyx::kernels
