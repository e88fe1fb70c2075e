#include "kernels/cpu/conv/double_conv.h"

#include <algorithm>

#include "core/arena.h"
#include "kernels/cpu/gemm/serial_product.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kTileValues = 1 << 17;  // of an unfolded tile, unless a single output has more
constexpr size_t kTileOutputs = 512;     // of a tile, at most
constexpr size_t kRows = 64;             // output channels of a task, at most

// The product of each group, (rows x depth) * (depth x outputs), and its grid of tasks.
struct Cut {
  explicit Cut(const ConvShape& s)
      : window(s.window.with_three_dims()),
        channels(s.in_channels / s.groups),
        rows(s.out_channels / s.groups),
        depth(channels * window.kernel_size()),
        outputs(window.out_size()),
        tile(std::clamp<size_t>(kTileValues / std::max<size_t>(depth, 1), 1, std::clamp<size_t>(outputs, 1, kTileOutputs))),
        tiles((outputs + tile - 1) / tile),
        blocks((rows + kRows - 1) / kRows) {}

  size_t tile_bytes() const noexcept { return core::align_up(depth * tile * sizeof(double)); }

  Window window;
  size_t channels, rows, depth, outputs;
  size_t tile, tiles, blocks;
};

// What one tap sees at `count` outputs of a line, from `column` on; 0 in the padding.
void unfold_line(const Window& w, const double* plane, const Extents& tap, size_t line, size_t column, size_t count, double* to) noexcept {
  const Extents out = {line / w.out[1], line % w.out[1], column};
  const auto place = [&](size_t i) { return w.origin(i, out[i]) + static_cast<ptrdiff_t>(tap[i] * w.dilation[i]); };
  const double* row = plane;
  for (size_t i = 0; i < 2; ++i) {
    const ptrdiff_t at = place(i);
    if (at < 0 || at >= static_cast<ptrdiff_t>(w.in[i])) {
      std::fill(to, to + count, 0.0);
      return;
    }
    row += static_cast<size_t>(at) * (i == 0 ? w.in[1] : 1) * w.in[2];
  }
  const ptrdiff_t start = place(2);
  const Range inside = steps_inside(start, w.stride[2], count, 0, static_cast<ptrdiff_t>(w.in[2]));
  std::fill(to, to + inside.begin, 0.0);
  for (size_t v = inside.begin; v < inside.end; ++v) to[v] = row[start + static_cast<ptrdiff_t>(v * w.stride[2])];
  std::fill(to + inside.end, to + count, 0.0);
}

// Writes (depth, count): what each tap of each channel sees at the outputs [first, first + count).
void unfold(const Cut& cut, const double* image, size_t first, size_t count, double* columns) noexcept {
  const Window& w = cut.window;
  for (size_t row = 0; row < cut.depth; ++row) {
    const size_t taps = w.kernel_size(), number = row % taps;
    const Extents tap = {number / (w.kernel[1] * w.kernel[2]), number / w.kernel[2] % w.kernel[1], number % w.kernel[2]};
    const double* plane = image + row / taps * w.in_size();
    for (size_t at = first; at < first + count;) {
      const size_t column = at % w.out[2], length = std::min(w.out[2] - column, first + count - at);
      unfold_line(w, plane, tap, at / w.out[2], column, length, columns);
      at += length;
      columns += length;
    }
  }
}

// Adds the residual to the row and activates it.
void finish(const DoubleConvEpilogue& epilogue, size_t offset, size_t count, double* row) noexcept {
  if (epilogue.residual) {
    for (size_t i = 0; i < count; ++i) row[i] += epilogue.residual[offset + i];
  }
  activate(epilogue.activation, row, count);
}

}  // namespace

size_t double_conv_scratch_bytes(const ConvShape& shape, int threads) noexcept {
  return Cut(shape).tile_bytes() * static_cast<size_t>(threads);
}

void double_conv(const ConvShape& s, const double* x, const double* w, const DoubleConvEpilogue& epilogue, double* y, void* scratch,
                 core::ThreadPool& pool) noexcept {
  const Cut cut(s);
  const size_t bytes = cut.tile_bytes();
  pool.for_each_with_thread(s.batch * s.groups * cut.tiles * cut.blocks, [&](size_t task, size_t thread) {
    auto* columns = reinterpret_cast<double*>(static_cast<std::byte*>(scratch) + thread * bytes);
    const size_t block = task % cut.blocks, tile = task / cut.blocks % cut.tiles, image = task / cut.blocks / cut.tiles;
    const size_t first = tile * cut.tile, count = std::min(cut.tile, cut.outputs - first);
    const size_t row = block * kRows, rows = std::min(kRows, cut.rows - row), channel = image % s.groups * cut.rows + row;
    const size_t offset = (image * cut.rows + row) * cut.outputs + first;
    unfold(cut, x + image * cut.channels * cut.window.in_size(), first, count, columns);
    for (size_t i = 0; i < rows; ++i) {
      double* to = y + offset + i * cut.outputs;
      std::fill(to, to + count, epilogue.bias ? epilogue.bias[channel + i] : 0.0);
    }
    serial_product<double>({rows, count, cut.depth}, 1.0, {w + channel * cut.depth, static_cast<ptrdiff_t>(cut.depth), 1},
                           {columns, static_cast<ptrdiff_t>(count), 1}, true, y + offset, cut.outputs, nullptr, pool);
    for (size_t i = 0; i < rows; ++i) finish(epilogue, offset + i * cut.outputs, count, y + offset + i * cut.outputs);
  });
}

}  // namespace sardonyx::kernels
