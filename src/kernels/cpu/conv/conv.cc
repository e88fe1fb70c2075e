#include "kernels/cpu/conv/conv.h"

#include <algorithm>

#include "core/interrupt.h"
#include "kernels/cpu/conv/tile_input.h"
#include "kernels/cpu/conv/winograd.h"
#include "kernels/cpu/gemm/block_product.h"
#include "kernels/cpu/gemm/blocking.h"
#include "kernels/cpu/gemm/pack.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kTileOutputs = 1024;            // outputs of a tile, about
constexpr size_t kTileWidth = 512;               // of them in one line, at most
constexpr size_t kTileFloats = size_t{1} << 21;  // of an unfolded tile, at most: huge kernels get smaller tiles

// The product of each group, (rows x depth) * (depth x outputs), and its grid of tiles. Depth is cut between channels only.
struct Plan {
  explicit Plan(const ConvShape& shape)
      : window(shape.window.with_three_dims()),
        channels(shape.in_channels / shape.groups),
        rows(shape.out_channels / shape.groups),
        taps(window.kernel_size()),
        panels(row_panels(rows, micro_tile())),
        panel_blocks(Split::at_most(panels.parts, kRowPanelsInBlock)),
        channel_blocks(Split::at_most(channels, std::max<size_t>(kDepthBlock / taps, 1))),
        across(Split::at_most(window.out[2], std::min(kTileWidth, outputs()))),
        down(Split::at_most(window.out[1], std::max<size_t>(outputs() / std::max<size_t>(longest(across), 1), 1))),
        layout(window, longest(down), longest(across)),
        x_plane(shape.x_plane()),
        y_plane(shape.y_plane()),
        residual_plane(shape.residual_plane()) {}

  // Outputs of a tile.
  size_t outputs() const { return std::clamp<size_t>(kTileFloats / (longest(channel_blocks) * taps), 1, kTileOutputs); }
  static size_t longest(const Split& split) { return split.parts == 0 ? 0 : split.length(0); }

  size_t depth() const { return channels * taps; }
  size_t tiles_in_group() const { return panel_blocks.parts * window.out[0] * down.parts * across.parts; }
  size_t offset_bytes() const { return core::align_up(longest(channel_blocks) * taps * sizeof(int32_t)); }
  // One thread's tile input; the product reads whole vectors, so up to a register tile past its end.
  size_t input_floats() const { return longest(channel_blocks) * layout.channel_floats(); }
  size_t input_bytes() const { return buffer_bytes(input_floats() + micro_tile().columns); }

  Window window;
  size_t channels, rows, taps;  // of a group
  Split panels, panel_blocks;
  Split channel_blocks;
  Split across, down;
  TileLayout layout;
  size_t x_plane, y_plane, residual_plane;  // distances
};

// Where a task stands in the grid.
struct Tile {
  Tile(const Plan& plan, const ConvShape& shape, size_t task) {
    const auto take = [&task](size_t count) {
      const size_t index = task % count;
      task /= count;
      return index;
    };
    panel_block = take(plan.panel_blocks.parts);
    across = take(plan.across.parts);
    down = take(plan.down.parts);
    depth = take(plan.window.out[0]);
    group = take(shape.groups);
    image = task;
  }
  size_t panel_block, across, down, depth, group, image;
};

struct Operands {
  const ConvShape& shape;
  const float* x;
  const float* packed_weights;
  const ConvEpilogue& epilogue;
  float* y;
  const int32_t* offsets;
};

// The epilogue of the tile whose first output, of the first row of the block, lies at `offset` in plane `plane` of y; that row is channel
// `channel`.
Epilogue epilogue_of(const Plan& plan, const ConvEpilogue& epilogue, size_t channel, size_t plane, size_t offset) {
  Epilogue result;
  result.activation = epilogue.activation;
  if (epilogue.bias) result.row_bias = epilogue.bias + channel;
  if (epilogue.residual) {
    result.addend = epilogue.residual + plane * plan.residual_plane + offset;
    result.addend_row_stride = static_cast<ptrdiff_t>(plan.residual_plane);
    result.addend_column_stride = 1;
  }
  return result;
}

void run_tile(const Plan& plan, const Operands& operands, const Tile& tile, float* input) {
  const Extents out = {tile.depth, plan.down.begin(tile.down), plan.across.begin(tile.across)};
  BlockProduct block;
  block.panels = plan.panels;
  block.first_panel = plan.panel_blocks.begin(tile.panel_block);
  block.last_panel = plan.panel_blocks.begin(tile.panel_block + 1);
  block.b = input;
  block.b_offsets = operands.offsets;
  block.lines = plan.down.length(tile.down);
  block.columns = plan.across.length(tile.across);
  block.b_pitch = plan.layout.pitch();
  block.c_line_stride = plan.window.out[2];
  block.c_row_stride = static_cast<ptrdiff_t>(plan.y_plane);

  const size_t row = plan.panels.begin(block.first_panel);
  const size_t channel = tile.group * plan.rows + row;
  const size_t plane = tile.image * operands.shape.out_channels + channel;
  const size_t offset = (out[0] * plan.window.out[1] + out[1]) * plan.window.out[2] + out[2];
  block.c = operands.y + plane * plan.y_plane + offset;
  const Epilogue epilogue = epilogue_of(plan, operands.epilogue, channel, plane, offset);
  const float* x = operands.x + (tile.image * operands.shape.in_channels + tile.group * plan.channels) * plan.x_plane;
  const float* weights = operands.packed_weights + tile.group * plan.rows * plan.depth();

  for (size_t i = 0; i < plan.channel_blocks.parts && !(i > 0 && core::interrupted()); ++i) {
    const size_t first = plan.channel_blocks.begin(i);
    const size_t channels = plan.channel_blocks.length(i);
    fill_tile_input(plan.window, plan.layout, out, {x + first * plan.x_plane, channels, plan.x_plane}, input);
    block.depth = channels * plan.taps;
    block.a = weights + first * plan.taps * plan.rows + row * block.depth;
    block.stage = {i == 0, i + 1 == plan.channel_blocks.parts};
    multiply_block(block, epilogue);
  }
}

}  // namespace

size_t conv_packed_weight_floats(const ConvShape& shape) noexcept {
  if (shape.winograd) return winograd_packed_weight_floats(shape);
  return shape.out_channels * (shape.in_channels / shape.groups) * shape.window.kernel_size();
}

void conv_pack_weights(const ConvShape& shape, const float* w, float* packed, core::ThreadPool* pool) noexcept {
  if (shape.winograd) return winograd_pack_weights(shape, w, packed, pool);
  const Plan plan(shape);
  const size_t blocks = plan.channel_blocks.parts * plan.panel_blocks.parts;
  core::for_each(pool, shape.groups * blocks, [&](size_t task) {
    const size_t group = task / blocks * plan.rows * plan.depth();
    const size_t channel_block = task % blocks / plan.panel_blocks.parts, panel_block = task % plan.panel_blocks.parts;
    const size_t first_panel = plan.panel_blocks.begin(panel_block), last_panel = plan.panel_blocks.begin(panel_block + 1);
    const size_t k = plan.channel_blocks.begin(channel_block) * plan.taps, depth = plan.channel_blocks.length(channel_block) * plan.taps;
    pack_a_block(Matrix::view(w + group, static_cast<ptrdiff_t>(plan.depth())), plan.panels, first_panel, last_panel, k, depth,
                 packed + group + k * plan.rows + plan.panels.begin(first_panel) * depth);
  });
}

size_t conv_scratch_bytes(const ConvShape& shape, int threads) noexcept {
  if (shape.winograd) return winograd_scratch_bytes(shape, threads);
  const Plan plan(shape);
  return plan.offset_bytes() + static_cast<size_t>(threads) * plan.input_bytes();
}

size_t conv_band_scratch_bytes(const ConvShape& shape, size_t rows, int threads) noexcept {
  if (shape.winograd) return winograd_scratch_bytes(shape, threads);
  // The tallest tile is that of a band of its height: a taller band is cut into equal tiles, which may be lower.
  const Plan plan(shape);
  const size_t across = shape.window.rank == 1 ? 1 : std::max<size_t>(Plan::longest(plan.across), 1);
  const size_t outputs = shape.window.rank == 1 ? std::min(kTileWidth, plan.outputs()) : plan.outputs();
  ConvShape band = shape;
  band.window.out[0] = std::min(rows, std::max<size_t>(outputs / across, 1));
  return conv_scratch_bytes(band, threads);
}

void conv_run(const ConvShape& shape, const float* x, const float* packed_weights, const ConvEpilogue& epilogue, float* y, void* scratch,
              core::ThreadPool& pool) noexcept {
  if (shape.winograd) return winograd_run(shape, x, packed_weights, epilogue, y, scratch, pool);
  const Plan plan(shape);
  auto* offsets = static_cast<int32_t*>(scratch);
  plan.layout.fill_offsets(plan.window, Plan::longest(plan.channel_blocks), offsets);
  std::byte* inputs = static_cast<std::byte*>(scratch) + plan.offset_bytes();
  for (int i = 0; i < pool.threads(); ++i) {
    float* end = reinterpret_cast<float*>(inputs + static_cast<size_t>(i) * plan.input_bytes()) + plan.input_floats();
    std::fill_n(end, micro_tile().columns, 0.0f);
  }
  const Operands operands = {shape, x, packed_weights, epilogue, y, offsets};
  pool.for_each_with_thread(shape.batch * shape.groups * plan.tiles_in_group(), [&](size_t task, size_t thread) {
    run_tile(plan, operands, Tile(plan, shape, task), reinterpret_cast<float*>(inputs + thread * plan.input_bytes()));
  });
}

}  // namespace sardonyx::kernels
