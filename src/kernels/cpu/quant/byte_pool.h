// Pooling of bytes. Channels last: x (batch, in..., channels), y (batch, out..., channels). Plain loops over channels, which compilers
// vectorise.
#pragma once

#include <cstdint>

#include "core/parallel.h"
#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

struct BytePoolShape {
  size_t batch = 1, channels = 1;
  Window window;
};

// The greatest byte under each window; padding does not take part. A window that lies wholly in the padding gives the least byte.
void max_pool_channels_last(const BytePoolShape& shape, const uint8_t* x, uint8_t* y, core::ThreadPool& pool) noexcept;
void max_pool_channels_last(const BytePoolShape& shape, const int8_t* x, int8_t* y, core::ThreadPool& pool) noexcept;

// y = saturate(round(mean(x - x_zero) * scale + y_zero)): the mean over the taps inside the input, or with `all_taps` over all taps of the
// kernel, padding counting as x_zero.
struct ByteMean {
  int32_t x_zero = 0;
  float scale = 1, y_zero = 0;
  bool all_taps = false;
};
void average_pool_channels_last(const BytePoolShape& shape, const ByteMean& mean, const uint8_t* x, uint8_t* y,
                                core::ThreadPool& pool) noexcept;
void average_pool_channels_last(const BytePoolShape& shape, const ByteMean& mean, const int8_t* x, int8_t* y,
                                core::ThreadPool& pool) noexcept;

// The sum of each of `planes` runs of `size` bytes, or with channels last, of each channel of (batch, size, channels); size at most 2^23.
void sum_planes(size_t planes, size_t size, const uint8_t* x, int32_t* sums, core::ThreadPool& pool) noexcept;
void sum_planes(size_t planes, size_t size, const int8_t* x, int32_t* sums, core::ThreadPool& pool) noexcept;
void sum_channels_last(size_t batch, size_t size, size_t channels, const uint8_t* x, int32_t* sums, core::ThreadPool& pool) noexcept;
void sum_channels_last(size_t batch, size_t size, size_t channels, const int8_t* x, int32_t* sums, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
