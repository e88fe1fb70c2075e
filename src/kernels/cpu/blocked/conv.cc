#include "kernels/cpu/blocked/conv.h"

#include <algorithm>
#include <cstring>

#include "core/arena.h"
#include "kernels/cpu/blocked/tile.h"
#include "kernels/cpu/gemm/blocking.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kMostPixels = 256;               // of a task
constexpr size_t kFewestPixels = 64;              // where there are few blocks to share out
constexpr size_t kWantedTasks = 16;               // of an image
constexpr size_t kMostOffsets = size_t{1} << 18;  // of a task: huge kernels get smaller tasks
constexpr size_t kStageBytes = 16 << 10;          // weights that stay near while the pixels of a task go by
constexpr size_t kMostLanes = 16;
constexpr size_t kTapsInTask = size_t{1} << 13;  // vectors of a depthwise task, about

bool is_depthwise(const ConvShape& shape) noexcept { return shape.groups > 1 && shape.groups == shape.in_channels; }

// The dense convolution's grid of tasks.
struct Plan {
  explicit Plan(const BlockedConvShape& s)
      : shape(s.conv),
        is_plain(s.plain_input),
        tile(blocked_tile()),
        window(shape.window),
        channels(shape.in_channels / shape.groups),
        rows(shape.out_channels / shape.groups),
        taps(window.kernel_size()),
        out_blocks(blocks_of(rows, tile.lanes)),
        block_groups(Split::at_most(out_blocks, tile.blocks)),
        chunks(is_plain ? Split::at_most(window.out[0], std::max<size_t>(wanted_pixels() / std::max<size_t>(window.out[1], 1), 1))
                        : Split::at_most(window.out_size(), wanted_pixels())) {}

  size_t wanted_pixels() const {
    const size_t shared = window.out_size() * block_groups.parts / kWantedTasks;
    return std::clamp<size_t>(std::min(std::clamp(shared, kFewestPixels, kMostPixels), kMostOffsets / taps), 1, kMostPixels);
  }
  size_t most_pixels() const { return chunks.parts == 0 ? 0 : chunks.length(0) * (is_plain ? window.out[1] : 1); }
  size_t tasks() const { return shape.batch * shape.groups * block_groups.parts * chunks.parts; }
  // Floats of the packed weights of output blocks before the `block`th, of all groups.
  size_t weights_before(size_t block) const { return block * tile.lanes * channels * taps; }

  // A plain input's lines and columns that a task reads, padding included.
  size_t input_lines(size_t lines) const { return (lines - 1) * window.stride[0] + (window.kernel[0] - 1) * window.dilation[0] + 1; }
  size_t input_columns() const { return (window.out[1] - 1) * window.stride[1] + (window.kernel[1] - 1) * window.dilation[1] + 1; }

  size_t offset_bytes() const {
    return core::align_up((is_plain ? channels * taps + most_pixels() : most_pixels() * taps) * sizeof(ptrdiff_t));
  }
  size_t thread_bytes() const {
    if (chunks.parts == 0 || window.out_size() == 0) return 0;
    return offset_bytes() + (is_plain ? buffer_bytes(channels * input_lines(chunks.length(0)) * input_columns()) : 0);
  }

  const ConvShape& shape;
  bool is_plain;
  BlockedTile tile;
  const Window& window;
  size_t channels, rows, taps;  // of a group
  size_t out_blocks;            // of a group
  Split block_groups;
  Split chunks;  // of pixels; with plain input of lines
};

// Offsets of the taps of `count` pixels from `first` on; see DenseTask::offsets.
void fill_offsets(const Plan& plan, size_t first, size_t count, ptrdiff_t* offsets) noexcept {
  const Window& w = plan.window;
  const auto width = static_cast<ptrdiff_t>(w.in[1]), height = static_cast<ptrdiff_t>(w.in[0]);
  for (size_t p = 0; p < count; ++p) {
    const size_t pixel = first + p;
    ptrdiff_t* to = offsets + p;
    ptrdiff_t line = w.origin(0, pixel / w.out[1]);
    const ptrdiff_t left = w.origin(1, pixel % w.out[1]);
    for (size_t h = 0; h < w.kernel[0]; ++h, line += static_cast<ptrdiff_t>(w.dilation[0])) {
      const bool is_inside = line >= 0 && line < height;
      ptrdiff_t column = left;
      for (size_t v = 0; v < w.kernel[1]; ++v, column += static_cast<ptrdiff_t>(w.dilation[1]), to += count) {
        const bool is_tap = is_inside && column >= 0 && column < width;
        *to = is_tap ? (line * width + column) * static_cast<ptrdiff_t>(plan.tile.lanes) : -1;
      }
    }
  }
}

// The lines that lines [first, first + lines) of the result read, with their padding.
void copy_padded(const Plan& plan, const float* x, size_t first, size_t lines, float* to) noexcept {
  const Window& w = plan.window;
  const size_t columns = plan.input_columns();
  const ptrdiff_t left = w.origin(1, 0);
  const Range inside = steps_inside(left, 1, columns, 0, static_cast<ptrdiff_t>(w.in[1]));
  for (size_t c = 0; c < plan.channels; ++c, x += w.in_size()) {
    ptrdiff_t line = w.origin(0, first);
    for (size_t i = 0; i < plan.input_lines(lines); ++i, ++line, to += columns) {
      if (line < 0 || line >= static_cast<ptrdiff_t>(w.in[0]) || inside.size() == 0) {
        std::fill_n(to, columns, 0.0f);
        continue;
      }
      std::fill_n(to, inside.begin, 0.0f);
      const float* from = x + static_cast<size_t>(line) * w.in[1] + static_cast<size_t>(left + static_cast<ptrdiff_t>(inside.begin));
      std::copy_n(from, inside.size(), to + inside.begin);
      std::fill_n(to + inside.end, columns - inside.end, 0.0f);
    }
  }
}

// Places of `lines` lines' pixels and of the taps in what copy_padded() has made.
void fill_plain_offsets(const Plan& plan, size_t lines, ptrdiff_t* steps, ptrdiff_t* places) noexcept {
  const Window& w = plan.window;
  const size_t columns = plan.input_columns(), plane = columns * plan.input_lines(lines);
  for (size_t c = 0; c < plan.channels; ++c) {
    for (size_t h = 0; h < w.kernel[0]; ++h) {
      for (size_t v = 0; v < w.kernel[1]; ++v) {
        *steps++ = static_cast<ptrdiff_t>(c * plane + h * w.dilation[0] * columns + v * w.dilation[1]);
      }
    }
  }
  for (size_t i = 0; i < lines * w.out[1]; ++i) {
    *places++ = static_cast<ptrdiff_t>(i / w.out[1] * w.stride[0] * columns + i % w.out[1] * w.stride[1]);
  }
}

struct Operands {
  const float* x;
  const float* packed;
  const ConvEpilogue& epilogue;
  float* y;
};

// The bias of `lanes` lanes from `channel` on, of which `channels` are channels.
void copy_bias(const float* bias, size_t channel, size_t channels, size_t lanes, float* to) noexcept {
  std::fill_n(to, lanes, 0.0f);
  if (bias) std::copy_n(bias + channel, std::min(channels, lanes), to);
}

void run_dense(const Plan& plan, const Operands& in, size_t index, std::byte* scratch) noexcept {
  const size_t block_group = index % plan.block_groups.parts, rest = index / plan.block_groups.parts;
  const size_t chunk = rest % plan.chunks.parts, group = rest / plan.chunks.parts % plan.shape.groups;
  const size_t image = rest / plan.chunks.parts / plan.shape.groups;
  const size_t lanes = plan.tile.lanes, scale = plan.is_plain ? plan.window.out[1] : 1;
  const size_t block = plan.block_groups.begin(block_group), first = plan.chunks.begin(chunk) * scale;

  DenseTask task;
  task.blocks = plan.block_groups.length(block_group);
  task.pixels = plan.chunks.length(chunk) * scale;
  task.taps = plan.taps;
  task.channels = plan.channels;
  task.weights = in.packed + plan.weights_before(group * plan.out_blocks + block);
  alignas(64) float bias[kMostTileBlocks * kMostLanes];
  const size_t channel = group * plan.rows + block * lanes;
  copy_bias(in.epilogue.bias, channel, plan.rows - block * lanes, task.blocks * lanes, bias);
  task.bias = bias;
  task.y_block = plan.window.out_size() * lanes;
  const size_t place = ((image * plan.shape.groups + group) * plan.out_blocks + block) * task.y_block + first * lanes;
  task.y = in.y + place;
  task.residual = in.epilogue.residual ? in.epilogue.residual + place : nullptr;
  task.activation = &in.epilogue.activation;
  auto* offsets = reinterpret_cast<ptrdiff_t*>(scratch);
  if (plan.is_plain) {
    auto* padded = reinterpret_cast<float*>(scratch + plan.offset_bytes());
    const size_t depth = plan.channels * plan.taps, lines = plan.chunks.length(chunk);
    fill_plain_offsets(plan, lines, offsets, offsets + depth);
    copy_padded(plan, in.x + image * plan.channels * plan.window.in_size(), plan.chunks.begin(chunk), lines, padded);
    return run_plain_task({padded, depth, offsets, offsets + depth, task});
  }
  const size_t in_blocks = blocks_of(plan.channels, lanes);
  task.x_block = plan.window.in_size() * lanes;
  task.x = in.x + (image * plan.shape.groups + group) * in_blocks * task.x_block;
  task.blocks_at_once = std::max<size_t>(kStageBytes / (lanes * plan.taps * task.blocks * lanes * sizeof(float)), 1);
  const Split tiles = Split::at_most(task.pixels, plan.tile.pixels[task.blocks - 1]);
  for (size_t i = 0; i < tiles.parts; ++i) {
    fill_offsets(plan, first + tiles.begin(i), tiles.length(i), offsets + tiles.begin(i) * plan.taps);
  }
  task.offsets = offsets;
  run_dense_task(task);
}

void run_depthwise(const ConvShape& shape, const Operands& in, core::ThreadPool& pool) noexcept {
  const Window& w = shape.window;
  const size_t lanes = block_lanes(), blocks = blocks_of(shape.in_channels, lanes);
  const size_t line_cost = std::max<size_t>(w.out[1] * w.kernel_size(), 1);
  const Split lines = Split::at_most(w.out[0], std::max<size_t>(kTapsInTask / line_cost, 1));
  const size_t at_once = std::max<size_t>(kTapsInTask / (line_cost * lines.length(0)), 1);
  const auto run = [&](size_t index) {
    const size_t part = index % lines.parts, plane = index / lines.parts, block = plane % blocks;
    const size_t place = plane * w.out_size() * lanes;
    alignas(64) float bias[kMostLanes];
    copy_bias(in.epilogue.bias, block * lanes, shape.in_channels - block * lanes, lanes, bias);
    run_depthwise_task({.window = &w,
                        .x = in.x + plane * w.in_size() * lanes,
                        .weights = in.packed + block * w.kernel_size() * lanes,
                        .bias = bias,
                        .residual = in.epilogue.residual ? in.epilogue.residual + place : nullptr,
                        .y = in.y + place,
                        .first = lines.begin(part),
                        .last = lines.begin(part + 1),
                        .activation = &in.epilogue.activation});
  };
  pool.for_ranges(shape.batch * blocks * lines.parts, at_once, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) run(i);
  });
}

float read_float(const float* from) noexcept {
  float value;
  std::memcpy(&value, static_cast<const void*>(from), sizeof(float));
  return value;
}

// The weights of output channels [row, row + count) of one group (`w`: the group's), padded to `lanes` output channels.
void pack_blocks(const Plan& plan, const float* w, size_t row, size_t count, size_t lanes, float* to) noexcept {
  const size_t unit = plan.is_plain ? 1 : plan.tile.lanes;
  for (size_t first = 0; first < plan.channels; first += unit) {
    const size_t channels = std::min(unit, plan.channels - first);
    if (count < lanes) std::fill_n(to, channels * plan.taps * lanes, 0.0f);
    for (size_t m = 0; m < count; ++m) {
      const float* from = w + ((row + m) * plan.channels + first) * plan.taps;
      for (size_t c = 0; c < channels; ++c) {
        for (size_t tap = 0; tap < plan.taps; ++tap) to[(tap * channels + c) * lanes + m] = read_float(from++);
      }
    }
    to += channels * plan.taps * lanes;
  }
}

void pack_depthwise(const ConvShape& shape, const float* w, float* to) noexcept {
  const size_t lanes = block_lanes(), taps = shape.window.kernel_size();
  std::fill_n(to, blocks_of(shape.in_channels, lanes) * taps * lanes, 0.0f);
  for (size_t c = 0; c < shape.in_channels; ++c) {
    for (size_t tap = 0; tap < taps; ++tap) to[(c / lanes * taps + tap) * lanes + c % lanes] = read_float(w + c * taps + tap);
  }
}

}  // namespace

const char* blocked_conv_refuses(const BlockedConvShape& shape) noexcept {
  const ConvShape& s = shape.conv;
  if (s.window.rank != 2) return "it has not two spatial dimensions";
  if (shape.plain_input && s.groups > 1) return "a plain input has one group";
  if (s.groups == 1) return nullptr;
  if (s.groups == s.in_channels) return s.in_channels == s.out_channels ? nullptr : "a channel of a depthwise convolution gives several";
  const size_t lanes = block_lanes();
  if (s.in_channels / s.groups % lanes != 0 || s.out_channels / s.groups % lanes != 0) return "a group is no whole number of blocks";
  return nullptr;
}

size_t blocked_conv_packed_floats(const BlockedConvShape& shape) noexcept {
  if (is_depthwise(shape.conv)) return blocks_of(shape.conv.in_channels, block_lanes()) * block_lanes() * shape.conv.window.kernel_size();
  const Plan plan(shape);
  return plan.weights_before(shape.conv.groups * plan.out_blocks);
}

void blocked_conv_pack(const BlockedConvShape& shape, const float* w, float* packed, core::ThreadPool* pool) noexcept {
  if (is_depthwise(shape.conv)) return pack_depthwise(shape.conv, w, packed);
  const Plan plan(shape);
  const size_t lanes = plan.tile.lanes, parts = plan.block_groups.parts;
  core::for_each(pool, shape.conv.groups * parts, [&](size_t task) {
    const size_t group = task / parts, block = plan.block_groups.begin(task % parts), blocks = plan.block_groups.length(task % parts);
    pack_blocks(plan, w + group * plan.rows * plan.channels * plan.taps, block * lanes, std::min(blocks * lanes, plan.rows - block * lanes),
                blocks * lanes, packed + plan.weights_before(group * plan.out_blocks + block));
  });
}

std::string blocked_packed_layout() {
  const BlockedTile tile = blocked_tile();
  return "blocked 1, " + std::to_string(tile.lanes) + " lanes, " + std::to_string(tile.blocks) + " blocks";
}

size_t blocked_conv_scratch_bytes(const BlockedConvShape& shape, int threads) noexcept {
  return is_depthwise(shape.conv) ? 0 : Plan(shape).thread_bytes() * static_cast<size_t>(threads);
}

void blocked_conv_run(const BlockedConvShape& shape, const float* x, const float* packed, const ConvEpilogue& epilogue, float* y,
                      void* scratch, core::ThreadPool& pool) noexcept {
  if (shape.conv.batch * shape.conv.window.out_size() == 0) return;
  const Operands operands = {x, packed, epilogue, y};
  if (is_depthwise(shape.conv)) return run_depthwise(shape.conv, operands, pool);
  const Plan plan(shape);
  pool.for_each_with_thread(plan.tasks(), [&](size_t task, size_t thread) {
    run_dense(plan, operands, task, static_cast<std::byte*>(scratch) + thread * plan.thread_bytes());
  });
}

}  // namespace sardonyx::kernels
