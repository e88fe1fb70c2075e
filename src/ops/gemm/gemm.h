// Gemm (alpha * A' * B' + beta * C), MatMul (numpy's product, with broadcasting batches) and FusedMatMul of com.microsoft (the same,
// scaled, of operands that may lie transposed). FusedGemm and FusedMatMul of ai.sardonyx are Gemm and that
// FusedMatMul with the attributes `activation` and `activation_params` (ops/elementwise/activation.h); FusedMatMul also takes a bias as
// third input, one value for each column.
#pragma once

#include "kernels/cpu/gemm/gemm.h"
#include "ops/op.h"

namespace sardonyx::ops {

struct GemmSpec {
  float alpha = 1.0f, beta = 1.0f;
  bool transpose_a = false, transpose_b = false;
  kernels::Activation activation = {};
};

GemmSpec gemm_spec_from_node(const model::Node& node, int64_t opset);

// Throws InvalidArgument where A and B are no matrices that fit.
kernels::GemmShape gemm_shape(const GemmSpec& spec, const Shape& a, const Shape& b);

struct MatMulSpec {
  // How an operand lies. `transpose`: its last two dimensions are swapped. `batch_inside`: (rows, batch..., columns) instead of
  // (batch..., rows, columns).
  struct Layout {
    bool transpose = false, batch_inside = false;
  };
  float alpha = 1.0f;
  Layout a, b;
  kernels::Activation activation = {};
};

MatMulSpec matmul_spec_from_node(const model::Node& node, int64_t opset);

// MatMul as a number of equal products. Vectors are matrices of one row (A) or column (B).
struct MatMulGeometry {
  // Steps between the elements of an operand: to the next row, column and matrix of its own batch.
  struct Steps {
    ptrdiff_t row = 0, column = 1, matrix = 0;
  };
  kernels::GemmShape product;
  Shape batch;             // broadcast batch sizes
  Shape a_batch, b_batch;  // each operand's own
  Steps a, b;
  Shape out;
};
// Throws InvalidArgument where A and B do not fit.
MatMulGeometry matmul_geometry(const Shape& a, const Shape& b, const MatMulSpec& spec = {});

// Activates all elements of a double tensor.
void activate_doubles(const kernels::Activation& activation, Tensor& y, core::ThreadPool& pool);

// C = A * B for types without a kernel, exact for integers (which wrap around). C is row-major; A and B are strided views.
struct PlainMatrix {
  const void* data;
  ptrdiff_t row_stride, column_stride;
};
using PlainProduct = void (*)(const kernels::GemmShape& shape, const PlainMatrix& a, const PlainMatrix& b, void* c, core::ThreadPool& pool);
// The product for elements of that type; null where there is none.
PlainProduct plain_product(DType dtype) noexcept;

}  // namespace sardonyx::ops
