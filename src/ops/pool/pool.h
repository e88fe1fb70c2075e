// MaxPool (with Indices), AveragePool, GlobalMaxPool, GlobalAveragePool, and AdaptiveAveragePool of domain ai.sardonyx: torch's
// AdaptiveAvgPool, with the spatial sizes of the result in the attribute `output_size`.
#pragma once

#include "kernels/cpu/pool/pool.h"
#include "ops/window/window.h"

namespace sardonyx::ops {

struct PoolSpec {
  WindowSpec window;
  bool count_include_pad = false;  // AveragePool
  bool column_major = false;       // MaxPool: Indices number the elements of a plane in column-major order
};

PoolSpec pool_spec_from_node(const model::Node& node, int64_t opset);

struct PoolGeometry {
  kernels::PoolShape kernel;
  Shape out;
};
PoolGeometry pool_geometry(const PoolSpec& spec, const Shape& x);
// One value for each plane.
PoolGeometry global_pool_geometry(const Shape& x);
PoolGeometry adaptive_pool_geometry(std::span<const int64_t> output_size, const Shape& x);

// MaxPool with the position of each maximum, for any element type that has one: the number of the element in the whole input.
// The first of equal values wins; NaN wins over all. `indices` may be null.
using IndexedMaxPool = void (*)(const kernels::PoolShape& shape, bool column_major, const void* x, void* y, int64_t* indices,
                                core::ThreadPool& pool);
// Null for types without one.
IndexedMaxPool indexed_max_pool(DType dtype) noexcept;

}  // namespace sardonyx::ops
