#include "kernels/cpu/quant/integer_conv.h"

#include <cstring>
#include <utility>

namespace sardonyx::kernels {
namespace {

constexpr size_t kTileChannels = 256;
constexpr size_t kTileLines = 256 + 32;  // of a tile, rounded up to any panel width

constexpr size_t panels_bytes() { return core::align_up(kTileLines * 2 * kIntegerPairs * sizeof(int16_t)); }
constexpr size_t sums_bytes() { return core::align_up(kTileLines * kTileLines * sizeof(int32_t)); }

// A kernel of one tap that touches every input once sees a plane as one line.
Window flattened(const Window& window) noexcept {
  Window w = window.with_three_dims();
  const bool is_pointwise = w.kernel_size() == 1 && w.in == w.out && w.stride == Extents{1, 1, 1} && w.pad_begin == Extents{0, 0, 0};
  if (!is_pointwise) return w;
  const size_t size = w.in_size();
  w.in = w.out = {1, 1, size};
  return w;
}

// The inputs of one plane under tap `tap` for the outputs [first, first + count).
void unfold_row(const Window& w, const int16_t* plane, size_t tap, size_t first, size_t count, int16_t* to) noexcept {
  const size_t td = tap / (w.kernel[1] * w.kernel[2]), th = tap / w.kernel[2] % w.kernel[1], tw = tap % w.kernel[2];
  const ptrdiff_t across = static_cast<ptrdiff_t>(tw * w.dilation[2]) - static_cast<ptrdiff_t>(w.pad_begin[2]);
  for (size_t done = 0; done < count;) {
    const size_t line = (first + done) / w.out[2], column = (first + done) % w.out[2];
    const size_t run = std::min(w.out[2] - column, count - done);
    const ptrdiff_t d = w.origin(0, line / w.out[1]) + static_cast<ptrdiff_t>(td * w.dilation[0]);
    const ptrdiff_t h = w.origin(1, line % w.out[1]) + static_cast<ptrdiff_t>(th * w.dilation[1]);
    const bool inside = d >= 0 && h >= 0 && static_cast<size_t>(d) < w.in[0] && static_cast<size_t>(h) < w.in[1];
    const ptrdiff_t start = across + static_cast<ptrdiff_t>(column * w.stride[2]);
    const Range within = inside ? steps_inside(start, w.stride[2], run, 0, static_cast<ptrdiff_t>(w.in[2])) : Range{run, run};
    std::fill(to + done, to + done + within.begin, int16_t{0});
    if (within.size() > 0) {
      const int16_t* from = plane + (static_cast<size_t>(d) * w.in[1] + static_cast<size_t>(h)) * w.in[2] +
                            static_cast<size_t>(start + static_cast<ptrdiff_t>(within.begin * w.stride[2]));
      int16_t* at = to + done + within.begin;
      if (w.stride[2] == 1) {
        std::memcpy(at, from, within.size() * sizeof(int16_t));
      } else {
        for (size_t i = 0; i < within.size(); ++i) at[i] = from[i * w.stride[2]];
      }
    }
    std::fill(to + done + within.end, to + done + run, int16_t{0});
    done += run;
  }
}

// Two rows side by side, cut into panels of `width` lines, `panel` numbers apart. The lines up to a whole panel are 0.
void interleave(const int16_t* first, const int16_t* second, size_t count, size_t width, size_t panel, int16_t* to) noexcept {
  for (size_t begin = 0; begin < count; begin += width, to += panel) {
    const size_t lines = std::min(width, count - begin);
    for (size_t i = 0; i < lines; ++i) {
      to[2 * i] = first[begin + i];
      to[2 * i + 1] = second[begin + i];
    }
    std::fill(to + 2 * lines, to + 2 * width, int16_t{0});
  }
}

// The group's part of one image, for the outputs [first, first + count).
struct Unfolding {
  const Window& window;
  const int16_t* x;
  size_t first, count, width;

  // Depth [2 * first_pair, ...) of the group, at most `depth`.
  void run(size_t first_pair, size_t pairs, size_t depth, int16_t* panels) const noexcept {
    int16_t rows[2][kMostTileOutputs];
    const size_t taps = window.kernel_size();
    for (size_t p = 0; p < pairs; ++p) {
      for (size_t i = 0; i < 2; ++i) {
        const size_t k = 2 * (first_pair + p) + i;
        if (k < depth) {
          unfold_row(window, x + k / taps * window.in_size(), k % taps, first, count, rows[i]);
        } else {
          std::fill(rows[i], rows[i] + count, int16_t{0});
        }
      }
      interleave(rows[0], rows[1], count, width, width * 2 * pairs, panels + p * 2 * width);
    }
  }
};

struct Operands {
  const IntegerConv& conv;
  Window window;
  const int16_t *x, *packed_weights;
};

// Sums of one tile into `sums`; rows are channels or outputs.
void multiply_tile(const Operands& in, const IntegerConvTile& tile, size_t group, int16_t* panels, int32_t* sums) noexcept {
  const IntegerConv& conv = in.conv;
  const size_t depth = conv.depth(), all_pairs = integer_pairs(depth), in_channels = conv.shape.in_channels / conv.shape.groups;
  const IntegerTile registers = integer_tile();
  const size_t width = conv.outputs_are_rows() ? registers.rows : registers.columns, weight_width = conv.weight_width();
  const Unfolding unfolding = {in.window, in.x + (tile.image * conv.shape.in_channels + group * in_channels) * in.window.in_size(),
                               tile.first_output, tile.outputs, width};
  const int16_t* weights = in.packed_weights + group * conv.packed_group() + (tile.first_channel - group * conv.channels()) * 2 * all_pairs;
  for (size_t first = 0; first < all_pairs; first += kIntegerPairs) {
    const size_t pairs = std::min(kIntegerPairs, all_pairs - first);
    unfolding.run(first, pairs, depth, panels);
    IntegerBlock block = {.a = weights + first * 2 * weight_width,
                          .b = panels,
                          .a_panel = weight_width * 2 * all_pairs,
                          .b_panel = width * 2 * pairs,
                          .rows = tile.channels,
                          .columns = tile.outputs,
                          .pairs = pairs,
                          .add = first != 0,
                          .c = sums,
                          .c_stride = tile.stride};
    if (conv.outputs_are_rows()) {
      std::swap(block.a, block.b);
      std::swap(block.a_panel, block.b_panel);
      std::swap(block.rows, block.columns);
    }
    multiply_integers(block);
  }
}

// Channels of a task: whole panels of weights.
size_t channel_block(const IntegerConv& conv) noexcept { return kTileChannels / conv.weight_width() * conv.weight_width(); }

}  // namespace

void pack_integer_weights(const IntegerConv& conv, const IntegerLines& w, int16_t* packed, core::ThreadPool& pool) noexcept {
  const size_t bytes = w.kind == IntegerKind::kInt16 ? sizeof(int16_t) : 1;
  for (size_t group = 0; group < conv.shape.groups; ++group) {
    IntegerLines lines = w;
    const auto first = static_cast<ptrdiff_t>(group * conv.channels()), size = static_cast<ptrdiff_t>(bytes);
    lines.data = static_cast<const std::byte*>(w.data) + first * w.line_stride * size;
    if (w.zero) lines.zero = static_cast<const std::byte*>(w.zero) + first * w.zero_line_stride * size;
    pack_integers(lines, conv.channels(), conv.depth(), conv.weight_width(), packed + group * conv.packed_group(), pool);
  }
}

size_t integer_conv_scratch_bytes(int threads) noexcept { return static_cast<size_t>(threads) * (panels_bytes() + sums_bytes()); }

void integer_conv(const IntegerConv& conv, const int16_t* x, const int16_t* packed_weights, void* scratch, core::ThreadPool& pool,
                  IntegerConvSink sink, const void* context) noexcept {
  const Operands in = {conv, flattened(conv.shape.window), x, packed_weights};
  const size_t outputs = in.window.out_size(), tiles = (outputs + kMostTileOutputs - 1) / kMostTileOutputs;
  const size_t at_once = channel_block(conv), blocks = (conv.channels() + at_once - 1) / at_once;
  pool.for_each_with_thread(conv.shape.batch * conv.shape.groups * blocks * tiles, [&](size_t task, size_t thread) {
    std::byte* own = static_cast<std::byte*>(scratch) + thread * (panels_bytes() + sums_bytes());
    auto* sums = reinterpret_cast<int32_t*>(own + panels_bytes());
    const size_t group = task / (tiles * blocks) % conv.shape.groups, channel = task / tiles % blocks * at_once;
    const IntegerConvTile tile = {.image = task / (tiles * blocks * conv.shape.groups),
                                  .first_output = task % tiles * kMostTileOutputs,
                                  .outputs = std::min(kMostTileOutputs, outputs - task % tiles * kMostTileOutputs),
                                  .first_channel = group * conv.channels() + channel,
                                  .channels = std::min(at_once, conv.channels() - channel),
                                  .sums = sums,
                                  .stride = kTileLines};
    multiply_tile(in, tile, group, reinterpret_cast<int16_t*>(own), sums);
    sink(context, tile);
  });
}

}  // namespace sardonyx::kernels
