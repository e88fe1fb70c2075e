// Gemm (alpha * A' * B' + beta * C) and MatMul (numpy's product, with broadcasting batches).
#pragma once

#include "kernels/cpu/gemm/gemm.h"
#include "ops/op.h"

namespace sardonyx::ops {

struct GemmSpec {
  float alpha = 1.0f, beta = 1.0f;
  bool transpose_a = false, transpose_b = false;
};

GemmSpec gemm_spec_from_node(const model::Node& node, int64_t opset);

// Throws InvalidArgument where A and B are no matrices that fit.
kernels::GemmShape gemm_shape(const GemmSpec& spec, const Shape& a, const Shape& b);

// MatMul as a number of equal products. Vectors are matrices of one row (A) or column (B).
struct MatMulGeometry {
  kernels::GemmShape product;
  Shape batch;             // broadcast batch sizes
  Shape a_batch, b_batch;  // each operand's own
  Shape out;
};
MatMulGeometry matmul_geometry(const Shape& a, const Shape& b);

// C = A * B for types without a kernel, exact for integers (which wrap around). C is row-major; A and B are strided views.
struct PlainMatrix {
  const void* data;
  ptrdiff_t row_stride, column_stride;
};
using PlainProduct = void (*)(const kernels::GemmShape& shape, const PlainMatrix& a, const PlainMatrix& b, void* c, core::ThreadPool& pool);
// The product for elements of that type; null where there is none.
PlainProduct plain_product(DType dtype) noexcept;

}  // namespace sardonyx::ops
