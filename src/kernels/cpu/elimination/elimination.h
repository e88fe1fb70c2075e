// Gaussian elimination of one square matrix in double, with the largest pivot of each column; serial.
#pragma once

#include <cstddef>

namespace sardonyx::kernels {

// Brings `a` (n x n, row-major) into upper triangular form by exchanging rows and subtracting multiples of them, and does the same to `b`
// (n x columns; null where columns is 0). Gives 1 or -1, by which the product of the diagonal is to be multiplied to be the determinant of
// `a`; 0 where some column has no pivot, that is where `a` is singular: both are then left in the middle.
double eliminate(double* a, size_t n, double* b, size_t columns) noexcept;

// Replaces `b` by the solution X of A X = B, A and B being what eliminate() left where it did not give 0.
void substitute_back(const double* a, size_t n, double* b, size_t columns) noexcept;

}  // namespace sardonyx::kernels
