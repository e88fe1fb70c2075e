#include "ops/facts.h"
#include "ops/gather/gather.h"

namespace sardonyx::ops {

GatherGeometry gather_geometry(const Shape& data, const Shape& indices, size_t axis) {
  GatherGeometry geometry = {.outer = span_count(data, 0, axis),
                             .axis = to_size(data[axis]),
                             .inner = span_count(data, axis + 1, data.size()),
                             .out = Shape(data.begin(), data.begin() + to_int(axis))};
  geometry.out.insert(geometry.out.end(), indices.begin(), indices.end());
  geometry.out.insert(geometry.out.end(), data.begin() + to_int(axis) + 1, data.end());
  return geometry;
}

}  // namespace sardonyx::ops
