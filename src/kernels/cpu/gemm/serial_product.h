// A matrix product on the calling thread alone, for float (by gemm) and double, for kernels that make products inside their tasks.
#pragma once

#include <algorithm>
#include <type_traits>

#include "core/interrupt.h"
#include "kernels/cpu/gemm/gemm.h"

namespace sardonyx::kernels {

template <class T>
struct StridedMatrix {
  const T* data;
  ptrdiff_t row_stride, column_stride;
};

// Bytes of scratch for serial_product, for this very shape.
template <class T>
size_t serial_product_scratch_bytes(const GemmShape& shape) noexcept {
  if constexpr (std::is_same_v<T, float>) return gemm_scratch_bytes(shape, false, false, 1);
  return 0;
}

// c = alpha * a * b, or with `add`, c += alpha * a * b. Must be called from inside a body of `pool`.
template <class T>
void serial_product(const GemmShape& shape, T alpha, const StridedMatrix<T>& a, const StridedMatrix<T>& b, bool add, T* c, size_t c_stride,
                    void* scratch, core::ThreadPool& pool) noexcept {
  if (shape.m == 0 || shape.n == 0) return;
  if constexpr (std::is_same_v<T, float>) {
    const auto stride = static_cast<ptrdiff_t>(c_stride);
    Epilogue epilogue;
    epilogue.alpha = alpha;
    if (add) {
      epilogue.addend = c;
      epilogue.addend_row_stride = stride;
      epilogue.addend_column_stride = 1;
    }
    gemm(shape, Matrix::view(a.data, a.row_stride, a.column_stride), Matrix::view(b.data, b.row_stride, b.column_stride), epilogue, c,
         stride, scratch, pool);
  } else {
    core::InterruptGate gate;
    for (size_t i = 0; i < shape.m; ++i) {
      T* row = c + i * c_stride;
      if (!add) std::fill(row, row + shape.n, T{0});
      for (size_t p = 0; p < shape.k && !gate.stopped(); ++p) {
        const T factor = alpha * a.data[static_cast<ptrdiff_t>(i) * a.row_stride + static_cast<ptrdiff_t>(p) * a.column_stride];
        const T* other = b.data + static_cast<ptrdiff_t>(p) * b.row_stride;
        for (size_t j = 0; j < shape.n; ++j) row[j] += factor * other[static_cast<ptrdiff_t>(j) * b.column_stride];
      }
    }
  }
}

}  // namespace sardonyx::kernels
