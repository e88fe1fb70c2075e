// Elementwise functions of two operands with broadcasting that is never materialised.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/parallel.h"

namespace sardonyx::kernels {

enum class BinaryOp : uint8_t { kAdd, kSub, kMul, kDiv, kMin, kMax, kPow };

// More dimensions than this, after collapsing, are refused by collapse_broadcast.
inline constexpr int kMaxBroadcastRank = 8;

// The result is contiguous with these extents, outermost first; a stride of 0 repeats the operand.
struct BroadcastShape {
  int rank = 0;  // 0: a single element
  std::array<size_t, kMaxBroadcastRank> extent = {};
  std::array<ptrdiff_t, kMaxBroadcastRank> a_stride = {};
  std::array<ptrdiff_t, kMaxBroadcastRank> b_stride = {};
};

// The least shape for two contiguous operands with ONNX (numpy) broadcasting: extents of 1 vanish, neighbours that move together merge.
// False where the shapes do not broadcast or need more than kMaxBroadcastRank dimensions.
bool collapse_broadcast(std::span<const int64_t> a, std::span<const int64_t> b, BroadcastShape& result) noexcept;

// y = op(a, b). y may be an operand that is not broadcast. Min and Max give NaN where either operand is NaN.
// Integers wrap around; x / 0 gives 0, the quotient is truncated. kPow of integers wraps around; a negative exponent gives the
// truncated real result (0, or +-1 for a base of +-1; 0 for a base of 0).
void binary(BinaryOp op, const BroadcastShape& shape, const float* a, const float* b, float* y, core::ThreadPool& pool) noexcept;
void binary(BinaryOp op, const BroadcastShape& shape, const int32_t* a, const int32_t* b, int32_t* y, core::ThreadPool& pool) noexcept;
void binary(BinaryOp op, const BroadcastShape& shape, const int64_t* a, const int64_t* b, int64_t* y, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
