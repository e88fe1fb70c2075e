// The constant right operand of a product, packed.
#pragma once

#include "kernels/cpu/gemm/gemm.h"
#include "ops/weights/packed_constant.h"

namespace sardonyx::ops {

// `view`: how the constant's elements are a matrix; its data is not used.
const float* packed_right(PackedConstant& constant, const Packing& packing, const kernels::GemmShape& shape, const kernels::Matrix& view);

}  // namespace sardonyx::ops
