// Expand and Tile: views that repeat elements, of any element type of whole bytes.
#pragma once

#include "ops/movement/strided.h"

namespace sardonyx::ops {

// x repeated `repeats` times along each dimension. The view has the extents (r0, d0, r1, d1, ...), `out` the products.
struct TiledView {
  StridedView view;
  Shape out;
};
TiledView tiled_view(const Shape& x, std::span<const int64_t> repeats);

}  // namespace sardonyx::ops
