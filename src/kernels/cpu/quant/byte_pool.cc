#include "kernels/cpu/quant/byte_pool.h"

#include <limits>

#include "kernels/cpu/quant/requantize.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kChannels = 256;  // at a time, in buffers on the stack
constexpr size_t kBytesPerTask = 1 << 15;

// Calls tap(pixel) with the first channel of each input pixel under output `o` of one image; gives their number.
template <class T, class Tap>
size_t each_tap(const Window& w, size_t channels, const T* image, size_t o, const Tap& tap) noexcept {
  const size_t at[3] = {o / (w.out[1] * w.out[2]), o / w.out[2] % w.out[1], o % w.out[2]};
  Range taps[3];
  for (size_t i = 0; i < 3; ++i) taps[i] = taps_inside(w, i, at[i]);
  const auto place = [&](size_t i, size_t t) {
    return static_cast<size_t>(w.origin(i, at[i]) + static_cast<ptrdiff_t>(t * w.dilation[i]));
  };
  for (size_t d = taps[0].begin; d < taps[0].end; ++d) {
    for (size_t h = taps[1].begin; h < taps[1].end; ++h) {
      const T* line = image + (place(0, d) * w.in[1] + place(1, h)) * w.in[2] * channels;
      for (size_t v = taps[2].begin; v < taps[2].end; ++v) tap(line + place(2, v) * channels);
    }
  }
  return taps[0].size() * taps[1].size() * taps[2].size();
}

// Calls pixel(window, image of x, output, pixel of y) for all outputs.
template <class T, class Pixel>
void each_output(const BytePoolShape& shape, const T* x, T* y, core::ThreadPool& pool, const Pixel& pixel) noexcept {
  const Window window = shape.window.with_three_dims();
  const size_t outputs = window.out_size(), cost = std::max<size_t>(shape.channels * window.kernel_size(), 1);
  pool.for_ranges(shape.batch * outputs, kBytesPerTask / cost, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      pixel(window, x + i / outputs * window.in_size() * shape.channels, i % outputs, y + i * shape.channels);
    }
  });
}

template <class T>
void max_pool_of(const BytePoolShape& shape, const T* x, T* y, core::ThreadPool& pool) noexcept {
  each_output(shape, x, y, pool, [&](const Window& window, const T* image, size_t output, T* to) {
    std::fill(to, to + shape.channels, std::numeric_limits<T>::min());
    each_tap(window, shape.channels, image, output, [&](const T* from) {
      for (size_t c = 0; c < shape.channels; ++c) to[c] = std::max(to[c], from[c]);
    });
  });
}

template <class T>
void average_pool_of(const BytePoolShape& shape, const ByteMean& mean, const T* x, T* y, core::ThreadPool& pool) noexcept {
  each_output(shape, x, y, pool, [&](const Window& window, const T* image, size_t output, T* to) {
    int32_t sums[kChannels];
    float means[kChannels];
    for (size_t first = 0; first < shape.channels; first += kChannels) {
      const size_t count = std::min(kChannels, shape.channels - first);
      std::fill(sums, sums + count, 0);
      const size_t taps = each_tap(window, shape.channels, image + first, output, [&](const T* from) {
        for (size_t c = 0; c < count; ++c) sums[c] += from[c] - mean.x_zero;
      });
      const auto divisor = static_cast<float>(mean.all_taps ? window.kernel_size() : taps);
      for (size_t c = 0; c < count; ++c) means[c] = static_cast<float>(sums[c]) / divisor;
      round_floats(means, count, mean.scale, mean.y_zero, to + first);
    }
  });
}

template <class T>
void sum_planes_of(size_t planes, size_t size, const T* x, int32_t* sums, core::ThreadPool& pool) noexcept {
  pool.for_ranges(planes, kBytesPerTask / std::max<size_t>(size, 1), [&](size_t begin, size_t end) {
    for (size_t plane = begin; plane < end; ++plane) {
      int32_t sum = 0;
      for (size_t i = 0; i < size; ++i) sum += x[plane * size + i];
      sums[plane] = sum;
    }
  });
}

template <class T>
void sum_channels_of(size_t batch, size_t size, size_t channels, const T* x, int32_t* sums, core::ThreadPool& pool) noexcept {
  const size_t blocks = (channels + kChannels - 1) / kChannels;
  pool.for_each(batch * blocks, [&](size_t task) {
    const size_t image = task / blocks, first = task % blocks * kChannels, count = std::min(kChannels, channels - first);
    int32_t* to = sums + image * channels + first;
    std::fill(to, to + count, 0);
    for (size_t i = 0; i < size; ++i) {
      const T* from = x + (image * size + i) * channels + first;
      for (size_t c = 0; c < count; ++c) to[c] += from[c];
    }
  });
}

}  // namespace

void max_pool_channels_last(const BytePoolShape& shape, const uint8_t* x, uint8_t* y, core::ThreadPool& pool) noexcept {
  max_pool_of(shape, x, y, pool);
}
void max_pool_channels_last(const BytePoolShape& shape, const int8_t* x, int8_t* y, core::ThreadPool& pool) noexcept {
  max_pool_of(shape, x, y, pool);
}
void average_pool_channels_last(const BytePoolShape& shape, const ByteMean& mean, const uint8_t* x, uint8_t* y,
                                core::ThreadPool& pool) noexcept {
  average_pool_of(shape, mean, x, y, pool);
}
void average_pool_channels_last(const BytePoolShape& shape, const ByteMean& mean, const int8_t* x, int8_t* y,
                                core::ThreadPool& pool) noexcept {
  average_pool_of(shape, mean, x, y, pool);
}
void sum_planes(size_t planes, size_t size, const uint8_t* x, int32_t* sums, core::ThreadPool& pool) noexcept {
  sum_planes_of(planes, size, x, sums, pool);
}
void sum_planes(size_t planes, size_t size, const int8_t* x, int32_t* sums, core::ThreadPool& pool) noexcept {
  sum_planes_of(planes, size, x, sums, pool);
}
void sum_channels_last(size_t batch, size_t size, size_t channels, const uint8_t* x, int32_t* sums, core::ThreadPool& pool) noexcept {
  sum_channels_of(batch, size, channels, x, sums, pool);
}
void sum_channels_last(size_t batch, size_t size, size_t channels, const int8_t* x, int32_t* sums, core::ThreadPool& pool) noexcept {
  sum_channels_of(batch, size, channels, x, sums, pool);
}

}  // namespace sardonyx::kernels
