// Elementwise operators of one operand. float32 runs the SIMD kernel of the same name; float16 and bfloat16 the same through float; float64
// the function's definition in double; integers where ONNX allows them, exactly.
#pragma once

#include "kernels/cpu/math/unary.h"
#include "ops/op.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {

struct UnarySpec {
  const kernels::UnaryRow* row = nullptr;  // null: integers only
  kernels::UnaryParams params;
  int64_t (*on_signed)(int64_t x) = nullptr;      // null: no signed integers
  uint64_t (*on_unsigned)(uint64_t x) = nullptr;  // null: no unsigned integers
  bool integers_in_double = false;                // integers take the definition in double, saturated
};

UnarySpec unary_spec_from_node(const model::Node& node, int64_t opset);

std::unique_ptr<Prepared> prepare_unary(const PrepareContext& context);

// y[i] = op(x[i]) for elements of `dtype`; y may be x.
void run_unary(const UnarySpec& spec, DType dtype, const void* x, void* y, size_t size, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::ops
