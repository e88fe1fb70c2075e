#include <algorithm>
#include <type_traits>

#include "ops/gemm/gemm.h"

namespace sardonyx::ops {
namespace {

// Rows of C side by side, each summed over k in order. Integers are computed as unsigned numbers, which wrap around.
template <class T>
void product(const kernels::GemmShape& shape, const PlainMatrix& a, const PlainMatrix& b, void* c, core::ThreadPool& pool) {
  const auto* left = static_cast<const T*>(a.data);
  const auto* right = static_cast<const T*>(b.data);
  pool.for_each(shape.m, [&](size_t i) {
    T* row = static_cast<T*>(c) + i * shape.n;
    std::fill(row, row + shape.n, T{});
    for (size_t p = 0; p < shape.k; ++p) {
      const T factor = left[static_cast<ptrdiff_t>(i) * a.row_stride + static_cast<ptrdiff_t>(p) * a.column_stride];
      const T* other = right + static_cast<ptrdiff_t>(p) * b.row_stride;
      for (size_t j = 0; j < shape.n; ++j) row[j] = static_cast<T>(row[j] + factor * other[static_cast<ptrdiff_t>(j) * b.column_stride]);
    }
  });
}

}  // namespace

void activate_doubles(const kernels::Activation& activation, Tensor& y, core::ThreadPool& pool) {
  constexpr size_t kGrain = 4096;
  double* values = y.mutable_values<double>().data();
  pool.for_ranges(static_cast<size_t>(y.numel()), kGrain,
                  [&](size_t begin, size_t end) { kernels::activate(activation, values + begin, end - begin); });
}

PlainProduct plain_product(DType dtype) noexcept {
  switch (dtype) {
    case DType::kFloat64:
      return product<double>;
    case DType::kInt32:
    case DType::kUInt32:
      return product<uint32_t>;
    case DType::kInt64:
    case DType::kUInt64:
      return product<uint64_t>;
    default:
      return nullptr;
  }
}

}  // namespace sardonyx::ops
