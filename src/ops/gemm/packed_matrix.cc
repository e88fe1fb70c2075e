#include "ops/gemm/packed_matrix.h"

#include <fmt/format.h>

namespace sardonyx::ops {

const float* packed_right(PackedConstant& constant, const Packing& packing, const kernels::GemmShape& shape, const kernels::Matrix& view) {
  const std::string layout =
      fmt::format("right {} x {}, strides {} {}, {}", shape.k, shape.n, view.row_stride, view.column_stride, kernels::packed_layout());
  return constant.packed(packing, layout, kernels::packed_b_floats(shape.k, shape.n), [&](const float* plain, float* to) {
    kernels::pack_b(shape.k, shape.n, kernels::Matrix::view(plain, view.row_stride, view.column_stride), to, packing.pool);
  });
}

}  // namespace sardonyx::ops
