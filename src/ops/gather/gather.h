// Gather: rows of one axis by index, of any element type of whole bytes.
#pragma once

#include "sardonyx/tensor.h"

namespace sardonyx::ops {

struct GatherGeometry {
  size_t outer = 1, axis = 1, inner = 1;  // data as (outer, axis, inner)
  Shape out;
};
GatherGeometry gather_geometry(const Shape& data, const Shape& indices, size_t axis);

}  // namespace sardonyx::ops
