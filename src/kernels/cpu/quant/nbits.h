// Weights of 2, 4 or 8 bits in blocks along the depth, each with a scale and a zero point, and products with them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/gemm/gemm.h"

namespace sardonyx::kernels {

// B (depth x columns) as bytes: for each column its blocks one after another, block * bits / 8 bytes each, the lowest bits first.
//   B(k, column) = (value - zero) * scale, both those of group k / block, or groups[k].
struct BlockWeights {
  size_t depth = 0, columns = 0;
  size_t bits = 4, block = 32;  // 2, 4 or 8; a multiple of 16
  const uint8_t* data = nullptr;
  const float* scales = nullptr;          // (columns, blocks)
  const uint8_t* packed_zeros = nullptr;  // (columns, bytes), packed like the weights
  const float* zeros = nullptr;           // (columns, blocks); with neither, the zero point is 2^(bits - 1)
  const int32_t* groups = nullptr;        // a block for each k, or null

  size_t blocks() const noexcept { return (depth + block - 1) / block; }
  size_t column_bytes() const noexcept { return blocks() * (block * bits / 8); }
  size_t zero_bytes() const noexcept { return (blocks() * bits + 7) / 8; }
};

// Up to so many rows are multiplied column by column.
inline constexpr size_t kFewRows = 4;

// c (m x columns) = a (m x depth) * B + bias, all contiguous; bias (one for each column) may be null. For more than kFewRows rows B is
// made block by block for gemm().
size_t block_product_scratch_bytes(const BlockWeights& weights, size_t m, int threads) noexcept;
void block_product(const BlockWeights& weights, size_t m, const float* a, const float* bias, float* c, void* scratch,
                   core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
