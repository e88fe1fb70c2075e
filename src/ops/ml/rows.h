// Rows of features: what the inputs of ai.onnx.ml's models are read as.
#pragma once

#include <algorithm>

#include "ops/elements/elements.h"
#include "ops/facts.h"

namespace sardonyx::ops {

inline constexpr DTypeSet kFeatureTypes = {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kInt32};

struct Rows {
  size_t count = 1, features = 0;
};

// [N, C] is N rows of C features, [C] is one row. Throws InvalidArgument for other ranks and for types that are no features.
Rows feature_rows(const ValueFacts& x);

// Throws InvalidArgument unless X has exactly `expected` features, which follow from `source`.
void require_features(const Rows& rows, size_t expected, std::string_view source);

// Bytes of scratch that elements_as<T>() needs for all of x.
template <class T>
size_t conversion_bytes(const ValueFacts& x) {
  return x.dtype == kDTypeOf<T> ? 0 : storage_bytes(kDTypeOf<T>, element_count(x.shape));
}

// All elements of x as T (float or double): x itself, or its elements converted into `buffer`.
template <class T>
const T* elements_as(const Tensor& x, std::byte* buffer, core::ThreadPool& pool) noexcept {
  if (x.dtype() == kDTypeOf<T>) return static_cast<const T*>(x.raw());
  T* values = reinterpret_cast<T*>(buffer);
  const LoadRun<T> load = load_run<T>(x.dtype());
  const size_t bytes = element_bytes(x.dtype());
  pool.for_ranges(to_size(x.numel()), size_t{1} << 14, [&](size_t begin, size_t end) {
    load(static_cast<const std::byte*>(x.raw()) + begin * bytes, 1, end - begin, values + begin);
  });
  return values;
}

// Rows in one task where a row costs about `cost` operations.
inline size_t rows_per_task(size_t cost) noexcept { return std::max<size_t>((size_t{1} << 15) / std::max<size_t>(cost, 1), 1); }

}  // namespace sardonyx::ops
