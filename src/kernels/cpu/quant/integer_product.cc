#include "kernels/cpu/quant/integer_product.h"

#include <algorithm>

#include "core/arena.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kColumns = 256;  // of c at a time: they stay in the nearest cache
constexpr size_t kTaskCost = 1 << 18;

// c[0, n) += sum over p of a[p] * b[p * stride + j], in two's complement.
void add_row(size_t n, size_t k, const int16_t* a, const int16_t* b, size_t stride, int32_t* c) noexcept {
  for (size_t p = 0; p < k; ++p) {
    const int32_t factor = a[p];
    if (factor == 0) continue;
    const int16_t* row = b + p * stride;
    for (size_t j = 0; j < n; ++j) {
      c[j] = static_cast<int32_t>(static_cast<uint32_t>(c[j]) + static_cast<uint32_t>(factor * int32_t{row[j]}));
    }
  }
}

// The input under each tap (rows, by channel and tap) for the output positions [first, first + count) of one image and group.
void unfold(const ConvShape& shape, const Window& w, const int16_t* x, size_t first, size_t count, int16_t* columns) noexcept {
  const size_t channels = shape.in_channels / shape.groups;
  for (size_t c = 0; c < channels; ++c) {
    const int16_t* plane = x + c * w.in_size();
    for (size_t tap = 0; tap < w.kernel_size(); ++tap, columns += kColumns) {
      const size_t td = tap / (w.kernel[1] * w.kernel[2]), th = tap / w.kernel[2] % w.kernel[1], tw = tap % w.kernel[2];
      for (size_t i = 0; i < count; ++i) {
        const size_t o = first + i;
        const ptrdiff_t d = w.origin(0, o / (w.out[1] * w.out[2])) + static_cast<ptrdiff_t>(td * w.dilation[0]);
        const ptrdiff_t h = w.origin(1, o / w.out[2] % w.out[1]) + static_cast<ptrdiff_t>(th * w.dilation[1]);
        const ptrdiff_t v = w.origin(2, o % w.out[2]) + static_cast<ptrdiff_t>(tw * w.dilation[2]);
        const bool inside = d >= 0 && h >= 0 && v >= 0 && static_cast<size_t>(d) < w.in[0] && static_cast<size_t>(h) < w.in[1] &&
                            static_cast<size_t>(v) < w.in[2];
        columns[i] =
            inside ? plane[(static_cast<size_t>(d) * w.in[1] + static_cast<size_t>(h)) * w.in[2] + static_cast<size_t>(v)] : int16_t{0};
      }
    }
  }
}

size_t taps_of(const ConvShape& shape) noexcept { return shape.in_channels / shape.groups * shape.window.kernel_size(); }
size_t tile_bytes(const ConvShape& shape) noexcept { return core::align_up(taps_of(shape) * kColumns * sizeof(int16_t)); }

}  // namespace

void integer_product(size_t m, size_t n, size_t k, const int16_t* a, const int16_t* b, int32_t* c, core::ThreadPool& pool) noexcept {
  const size_t tiles = (n + kColumns - 1) / kColumns, cost = std::max<size_t>(kColumns * k, 1);
  pool.for_ranges(m * tiles, kTaskCost / cost, [&](size_t begin, size_t end) {
    for (size_t task = begin; task < end; ++task) {
      const size_t first = task / m * kColumns, row = task % m, count = std::min(kColumns, n - first);
      int32_t* to = c + row * n + first;
      std::fill(to, to + count, 0);
      add_row(count, k, a + row * k, b + first, n, to);
    }
  });
}

size_t integer_conv_scratch_bytes(const ConvShape& shape, int threads) noexcept { return tile_bytes(shape) * static_cast<size_t>(threads); }

void integer_conv(const ConvShape& shape, const int16_t* x, const int16_t* w, int32_t* y, void* scratch, core::ThreadPool& pool) noexcept {
  const Window window = shape.window.with_three_dims();
  const size_t out = window.out_size(), tiles = (out + kColumns - 1) / kColumns, taps = taps_of(shape);
  const size_t channels = shape.out_channels / shape.groups;
  pool.for_each_with_thread(shape.batch * shape.groups * tiles, [&](size_t task, size_t thread) {
    auto* columns = reinterpret_cast<int16_t*>(static_cast<std::byte*>(scratch) + thread * tile_bytes(shape));
    const size_t first = task % tiles * kColumns, count = std::min(kColumns, out - first), image = task / tiles;
    const size_t group = image % shape.groups;
    unfold(shape, window, x + image * (shape.in_channels / shape.groups) * window.in_size(), first, count, columns);
    for (size_t c = 0; c < channels; ++c) {
      int32_t* to = y + (image * channels + c) * out + first;
      std::fill(to, to + count, 0);
      add_row(count, taps, w + (group * channels + c) * taps, columns, kColumns, to);
    }
  });
}

}  // namespace sardonyx::kernels
