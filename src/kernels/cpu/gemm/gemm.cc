#include "kernels/cpu/gemm/gemm.h"

#include <algorithm>
#include <utility>

#include "core/interrupt.h"
#include "kernels/cpu/gemm/block_product.h"
#include "kernels/cpu/gemm/blocking.h"
#include "kernels/cpu/gemm/gemv.h"
#include "kernels/cpu/gemm/pack.h"

namespace sardonyx::kernels {
namespace {

// Blocks of a B that is made in pieces serve this many times more rows, for making them costs more than packing.
constexpr size_t kMadeBlockFactor = 8;

// The grid of blocks of C, one task each.
struct Grid {
  explicit Grid(const GemmShape& shape, size_t panels_in_block = kRowPanelsInBlock)
      : tile(micro_tile()),
        panels(row_panels(shape.m, tile)),
        depths(depth_blocks(shape.k)),
        panel_blocks(Split::at_most(panels.parts, panels_in_block)),
        column_blocks(divide_up(shape.n, kColumnBlock)) {}

  // One thread's packed block of B.
  size_t b_block_bytes(const GemmShape& shape) const {
    return buffer_bytes(std::min(padded_columns(shape.n, tile), kColumnBlock) * std::min(shape.k, kDepthBlock));
  }

  MicroTile tile;
  Split panels;
  Split depths;
  Split panel_blocks;
  size_t column_blocks;
};

struct Task {
  const GemmShape& shape;
  const float* a;  // packed
  const Matrix& b;
  const Epilogue& epilogue;
  float* c;
  ptrdiff_t c_row_stride;
  const Grid& grid;
};

void make_b_block(const ColumnSource& source, const MicroTile& tile, size_t k, size_t depth, size_t column, size_t columns, float* packed) {
  for (size_t j = 0; j < columns; j += tile.columns, packed += depth * tile.columns) {
    const size_t count = std::min(tile.columns, columns - j);
    source.make(source.context, k, depth, column + j, count, packed, tile.columns);
    for (size_t i = 0; count < tile.columns && i < depth; ++i) {
      std::fill(packed + i * tile.columns + count, packed + (i + 1) * tile.columns, 0.0f);
    }
  }
}

const float* b_block(const Task& task, size_t column, size_t columns, size_t depth_block, float* buffer) {
  const Grid& grid = task.grid;
  const size_t k = grid.depths.begin(depth_block);
  const size_t depth = grid.depths.length(depth_block);
  if (task.b.is_packed) return task.b.data + k * padded_columns(task.shape.n, grid.tile) + column * depth;
  if (task.b.source) {
    make_b_block(*task.b.source, grid.tile, k, depth, column, columns, buffer);
  } else {
    pack_b_block(task.b, grid.tile, k, depth, column, columns, buffer);
  }
  return buffer;
}

void run_block(const Task& task, size_t panel_block, size_t column_block, float* b_buffer) {
  const Grid& grid = task.grid;
  const size_t column = column_block * kColumnBlock;
  BlockProduct block;
  block.panels = grid.panels;
  block.first_panel = grid.panel_blocks.begin(panel_block);
  block.last_panel = grid.panel_blocks.begin(panel_block + 1);
  block.columns = std::min(kColumnBlock, task.shape.n - column);
  block.c_row_stride = task.c_row_stride;
  const size_t row = grid.panels.begin(block.first_panel);
  block.c = task.c + static_cast<ptrdiff_t>(row) * task.c_row_stride + column;
  const Epilogue epilogue = epilogue_at(task.epilogue, row, column);
  const size_t depth_parts = std::max<size_t>(grid.depths.parts, 1);  // an empty sum still has an epilogue
  for (size_t i = 0; i < depth_parts && (i == 0 || !core::interrupted()); ++i) {
    block.depth = grid.depths.parts == 0 ? 0 : grid.depths.length(i);
    block.a = task.a + grid.depths.begin(i) * task.shape.m + row * block.depth;
    block.b = b_block(task, column, block.columns, i, b_buffer);
    block.stage = {i == 0, i + 1 == depth_parts};
    multiply_block(block, epilogue);
  }
}

void pack_whole_a(const GemmShape& shape, const Matrix& a, const Grid& grid, float* packed, core::ThreadPool& pool) {
  pool.for_each(grid.panel_blocks.parts * grid.depths.parts, [&](size_t i) {
    const size_t first_panel = grid.panel_blocks.begin(i % grid.panel_blocks.parts);
    const size_t last_panel = grid.panel_blocks.begin(i % grid.panel_blocks.parts + 1);
    const size_t k = grid.depths.begin(i / grid.panel_blocks.parts);
    const size_t depth = grid.depths.length(i / grid.panel_blocks.parts);
    pack_a_block(a, grid.panels, first_panel, last_panel, k, depth, packed + k * shape.m + grid.panels.begin(first_panel) * depth);
  });
}

// The same product with rows and columns exchanged: C must be one contiguous column.
Epilogue transposed(Epilogue epilogue) {
  std::swap(epilogue.row_bias, epilogue.column_bias);
  std::swap(epilogue.addend_row_stride, epilogue.addend_column_stride);
  return epilogue;
}
Matrix transposed(Matrix matrix) {
  std::swap(matrix.row_stride, matrix.column_stride);
  return matrix;
}

}  // namespace

size_t gemm_scratch_bytes(const GemmShape& shape, bool a_is_packed, bool b_is_packed, int threads) noexcept {
  const Grid grid(shape);
  const size_t a_bytes = a_is_packed ? 0 : buffer_bytes(packed_a_floats(shape.m, shape.k));
  const size_t b_bytes = b_is_packed ? 0 : grid.b_block_bytes(shape);
  return a_bytes + static_cast<size_t>(threads) * b_bytes;
}

void gemm(const GemmShape& shape, const Matrix& a, const Matrix& b, const Epilogue& epilogue, float* c, ptrdiff_t c_row_stride,
          void* scratch, core::ThreadPool& pool) noexcept {
  if (shape.m == 0 || shape.n == 0) return;
  if (!gemv_refuses(shape, a, b)) return gemv(shape, a, b, epilogue, c, pool);
  const GemmShape flipped = {shape.n, shape.m, shape.k};
  if (c_row_stride == 1 && !gemv_refuses(flipped, transposed(b), transposed(a))) {
    return gemv(flipped, transposed(b), transposed(a), transposed(epilogue), c, pool);
  }

  const Grid grid(shape, b.source ? kMadeBlockFactor * kRowPanelsInBlock : kRowPanelsInBlock);
  const float* packed_a = a.data;
  std::byte* buffers = static_cast<std::byte*>(scratch);
  if (!a.is_packed) {
    pack_whole_a(shape, a, grid, reinterpret_cast<float*>(buffers), pool);
    packed_a = reinterpret_cast<float*>(buffers);
    buffers += buffer_bytes(packed_a_floats(shape.m, shape.k));
  }
  const Task task = {shape, packed_a, b, epilogue, c, c_row_stride, grid};
  const size_t buffer = b.is_packed ? 0 : grid.b_block_bytes(shape);
  pool.for_each_with_thread(grid.panel_blocks.parts * grid.column_blocks, [&](size_t i, size_t thread) {
    run_block(task, i % grid.panel_blocks.parts, i / grid.panel_blocks.parts, reinterpret_cast<float*>(buffers + thread * buffer));
  });
}

}  // namespace sardonyx::kernels
