// Elementwise float functions of one operand.
//
// A function is a row of unary.inc (name, promised ULP, oracle in double) and a SIMD body of the same name in unary-inl.h.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/parallel.h"

namespace sardonyx::kernels {

// LeakyRelu, Elu, Celu, ThresholdedRelu, Swish: alpha. HardSigmoid: alpha, beta (max(0, min(1, alpha * x + beta))).
// Clip: alpha = lower, beta = upper. Selu: beta = gamma. Shrink: alpha = lambd, beta = bias.
struct UnaryParams {
  float alpha = 0.0f;
  float beta = 0.0f;
};

enum class UnaryOp : uint8_t {
#define SARDONYX_UNARY(name, ...) k##name,
#include "kernels/cpu/math/unary.inc"
#undef SARDONYX_UNARY
};

struct UnaryRow {
  UnaryOp op;
  std::string_view name;  // the ONNX operator's; GeluTanh is Gelu with approximate = tanh
  uint32_t max_ulp;       // promise on every SIMD target, over all floats; denormals may count as 0
  double slack;           // absolute error that is allowed besides
  double (*oracle)(double x, const UnaryParams& p);
};

// All rows, in the order of the enumeration.
std::span<const UnaryRow> unary_rows() noexcept;

// y[i] = op(x[i]); y may be x.
void unary(UnaryOp op, const UnaryParams& params, const float* x, float* y, size_t size, core::ThreadPool& pool) noexcept;
// The same in place, on the calling thread.
void unary_line(UnaryOp op, const UnaryParams& params, float* values, size_t size) noexcept;

}  // namespace sardonyx::kernels
