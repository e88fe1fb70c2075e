// Packing of one depth block of an operand into panels (layout: blocking.h).
#pragma once

#include <cstddef>

#include "kernels/cpu/gemm/blocking.h"
#include "kernels/cpu/gemm/gemm.h"

namespace sardonyx::kernels {

// Rows of `panels` [first_panel, last_panel), columns [k, k + depth) of A.
void pack_a_block(const Matrix& a, const Split& panels, size_t first_panel, size_t last_panel, size_t k, size_t depth,
                  float* packed) noexcept;

// Rows [k, k + depth), columns [column, column + columns) of B; the last panel is padded with zeros.
void pack_b_block(const Matrix& b, const MicroTile& tile, size_t k, size_t depth, size_t column, size_t columns, float* packed) noexcept;

}  // namespace sardonyx::kernels
