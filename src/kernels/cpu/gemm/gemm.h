// Single-precision matrix product: C = activation(alpha * A * B + bias + beta * C0), with A (m x k), B (k x n) and C (m x n).
//
// Either operand may be packed once beforehand (constant weights); else A is packed
// into scratch as a whole, B block by block.
// Each element of C is summed over k in one fixed order, whatever the number of threads, so the bits of C do not depend on it.
// The packed layout belongs to this process's SIMD target: it is never written to a file.
#pragma once

#include <cstddef>

#include "core/parallel.h"
#include "kernels/cpu/math/activation.h"

namespace sardonyx::kernels {

// What happens to a product before it is stored. Null pointers add nothing.
struct Epilogue {
  const float* row_bias = nullptr;     // one value for each row of C
  const float* column_bias = nullptr;  // one value for each column of C
  // C0, times beta: any strides in elements, 0 where it is broadcast. May be C itself (same strides).
  const float* addend = nullptr;
  ptrdiff_t addend_row_stride = 0;
  ptrdiff_t addend_column_stride = 0;
  float alpha = 1.0f;
  float beta = 1.0f;
  Activation activation;
};

struct GemmShape {
  size_t m = 0;  // rows of A and C
  size_t n = 0;  // columns of B and C
  size_t k = 0;  // columns of A, rows of B; 0 gives A * B = 0
};

// A right operand that is nowhere in memory as a whole: a piece of some columns is made when it is needed.
struct ColumnSource {
  // Writes B(k + i, column + j) to rows[i * row_stride + j], for i < depth and j < count. Called from several threads.
  void (*make)(const void* context, size_t k, size_t depth, size_t column, size_t count, float* rows, size_t row_stride) noexcept = nullptr;
  const void* context = nullptr;
};

// One operand: a strided view (strides in elements; a transposed matrix is the same view with strides swapped), packed data, or a source.
struct Matrix {
  const float* data = nullptr;
  ptrdiff_t row_stride = 0;
  ptrdiff_t column_stride = 1;
  bool is_packed = false;
  const ColumnSource* source = nullptr;

  static constexpr Matrix view(const float* data, ptrdiff_t row_stride, ptrdiff_t column_stride = 1) {
    return {data, row_stride, column_stride, false, nullptr};
  }
  static constexpr Matrix packed(const float* data) { return {data, 0, 0, true, nullptr}; }
  static constexpr Matrix made(const ColumnSource* source) { return {nullptr, 0, 0, false, source}; }
};

// Floats that a packed operand takes.
size_t packed_a_floats(size_t m, size_t k) noexcept;
size_t packed_b_floats(size_t k, size_t n) noexcept;

// Packs a view, whose data need not even be aligned for floats. `packed` holds packed_?_floats floats; aligned to 64 bytes is faster, not
// required. `pool`: null: on the calling thread alone.
void pack_a(size_t m, size_t k, const Matrix& a, float* packed) noexcept;
void pack_b(size_t k, size_t n, const Matrix& b, float* packed, core::ThreadPool* pool = nullptr) noexcept;

// Bytes of scratch that gemm() needs with a pool of `threads` threads; 0 where both operands are packed.
size_t gemm_scratch_bytes(const GemmShape& shape, bool a_is_packed, bool b_is_packed, int threads) noexcept;

// C has contiguous rows, `c_row_stride` floats apart. C overlaps neither A nor B. `scratch` may be null where 0 bytes are needed.
// For a batch of small products call this from inside pool.for_each_with_thread, with scratch for one thread each: the inner call is
// serial.
void gemm(const GemmShape& shape, const Matrix& a, const Matrix& b, const Epilogue& epilogue, float* c, ptrdiff_t c_row_stride,
          void* scratch, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
