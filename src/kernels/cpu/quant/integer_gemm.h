// Products of matrices of 16-bit integers (bytes minus their zero points, or int16 itself), summed in 32 bits, which wrap around: exact
// for bytes up to a depth of 2^31 / 255^2.
//
// Lines are rows of A or columns of B. A packed operand is a row of panels of `width` lines (the last one padded with zeros); within a
// panel pairs of neighbours in depth lie side by side, [pair][line][2], so that one multiplication of 16-bit lanes adds both to a 32-bit
// lane. An odd depth is padded with zeros. The layout belongs to this process's SIMD target.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/arena.h"
#include "core/parallel.h"
#include "kernels/cpu/gemm/gemm.h"

namespace sardonyx::kernels {

// The register tile of the SIMD target in use: panel widths of A and B.
struct IntegerTile {
  size_t rows = 1, columns = 1;
};
IntegerTile integer_tile() noexcept;

enum class IntegerKind : uint8_t { kUint8, kInt8, kInt16 };

// Element k of line i is data[i * line_stride + k * depth_stride] - zero[i * zero_line_stride + k * zero_depth_stride]; `zero` has the type
// of data, or is null. Differences of int16 wrap around.
struct IntegerLines {
  const void* data = nullptr;
  IntegerKind kind = IntegerKind::kUint8;
  ptrdiff_t line_stride = 0, depth_stride = 1;
  const void* zero = nullptr;
  ptrdiff_t zero_line_stride = 0, zero_depth_stride = 0;
};

constexpr size_t integer_pairs(size_t depth) noexcept { return (depth + 1) / 2; }
// Numbers of a packed operand.
constexpr size_t packed_integers(size_t lines, size_t depth, size_t width) noexcept {
  return (lines + width - 1) / width * width * 2 * integer_pairs(depth);
}
void pack_integers(const IntegerLines& from, size_t lines, size_t depth, size_t width, int16_t* packed, core::ThreadPool& pool) noexcept;

// c (rows x columns) = or += a * b, over `pairs` pairs in depth. Rows of c have room for whole tiles: columns rounded up to the tile.
struct IntegerBlock {
  const int16_t *a = nullptr, *b = nullptr;  // the first pair of the first panel
  size_t a_panel = 0, b_panel = 0;           // from one panel to the next, in numbers
  size_t rows = 0, columns = 0, pairs = 0;
  bool add = false;
  int32_t* c = nullptr;
  size_t c_stride = 0;
};
void multiply_integers(const IntegerBlock& block) noexcept;

// How the result is cut into tasks.
inline constexpr size_t kIntegerRows = 72, kIntegerColumns = 256;
inline constexpr size_t kIntegerPairs = 256;  // a panel of B of that depth stays in the nearest cache

// Bytes of scratch that integer_gemm needs with a pool of `threads` threads.
constexpr size_t integer_gemm_scratch_bytes(int threads) noexcept {
  return static_cast<size_t>(threads) * kIntegerRows * kIntegerColumns * sizeof(int32_t);
}

// Products number 0 to `count` of packed operands: a(i) and b(i) give those of product i. Calls sink(i, row, column, columns, sums) with
// runs of finished sums of a row, from several threads. `scratch` is aligned to 64 bytes.
template <class A, class B, class Sink>
void integer_gemm(const GemmShape& shape, size_t count, const A& a, const B& b, void* scratch, core::ThreadPool& pool,
                  const Sink& sink) noexcept {
  const IntegerTile tile = integer_tile();
  const size_t most_rows = kIntegerRows / tile.rows * tile.rows, pairs = integer_pairs(shape.k);
  const size_t row_blocks = (shape.m + most_rows - 1) / most_rows, column_blocks = (shape.n + kIntegerColumns - 1) / kIntegerColumns;
  pool.for_each_with_thread(count * row_blocks * column_blocks, [&](size_t task, size_t thread) {
    const size_t product = task / (row_blocks * column_blocks);
    const size_t row = task % row_blocks * most_rows, column = task / row_blocks % column_blocks * kIntegerColumns;
    auto* sums = static_cast<int32_t*>(scratch) + thread * kIntegerRows * kIntegerColumns;
    IntegerBlock block = {.a = a(product) + row * 2 * pairs,
                          .b = b(product) + column * 2 * pairs,
                          .a_panel = tile.rows * 2 * pairs,
                          .b_panel = tile.columns * 2 * pairs,
                          .rows = std::min(most_rows, shape.m - row),
                          .columns = std::min(kIntegerColumns, shape.n - column),
                          .c = sums,
                          .c_stride = kIntegerColumns};
    for (size_t first = 0; first < std::max<size_t>(pairs, 1); first += kIntegerPairs) {
      block.pairs = std::min(kIntegerPairs, pairs - first);
      block.add = first != 0;
      multiply_integers(block);
      block.a += kIntegerPairs * 2 * tile.rows;
      block.b += kIntegerPairs * 2 * tile.columns;
    }
    for (size_t i = 0; i < block.rows; ++i) sink(product, row + i, column, block.columns, sums + i * kIntegerColumns);
  });
}

}  // namespace sardonyx::kernels
