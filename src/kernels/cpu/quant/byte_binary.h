// Sum and product of two quantised tensors of bytes, with broadcasting that is never materialised.
#pragma once

#include "kernels/cpu/math/binary.h"

namespace sardonyx::kernels {

// (a - a_zero) * a_scale + (b - b_zero) * b_scale, or (a - a_zero) * (b - b_zero) * a_scale; then y_zero is added, the result rounded (ties
// to the even number) and saturated. In floats, rounded after each step on every target.
enum class ByteOp : uint8_t { kAdd, kMul };
struct ByteBinary {
  ByteOp op = ByteOp::kAdd;
  float a_scale = 1, b_scale = 1;  // scales of the operands over that of the result
  int32_t a_zero = 0, b_zero = 0;
  float y_zero = 0;
};

void byte_binary(const ByteBinary& binary, const BroadcastShape& shape, const uint8_t* a, const uint8_t* b, uint8_t* y,
                 core::ThreadPool& pool) noexcept;
void byte_binary(const ByteBinary& binary, const BroadcastShape& shape, const int8_t* a, const int8_t* b, int8_t* y,
                 core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
