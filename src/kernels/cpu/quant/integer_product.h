// Products of integers of at most nine bits and a sign (bytes minus their zero points), summed in 32 bits, which wrap around.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel.h"
#include "kernels/cpu/conv/conv.h"

namespace sardonyx::kernels {

// c (m x n) = a (m x k) * b (k x n), all contiguous.
void integer_product(size_t m, size_t n, size_t k, const int16_t* a, const int16_t* b, int32_t* c, core::ThreadPool& pool) noexcept;

// y (batch, out_channels, out...) = conv(x, w). Padding counts as 0.
size_t integer_conv_scratch_bytes(const ConvShape& shape, int threads) noexcept;
void integer_conv(const ConvShape& shape, const int16_t* x, const int16_t* w, int32_t* y, void* scratch, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
