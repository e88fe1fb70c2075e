// DepthToSpace (mode from opset 11; before it is DCR) and SpaceToDepth, on (batch, channels, height, width) of any element type.
#pragma once

#include "kernels/cpu/copy/depth_to_space.h"
#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

struct DepthToSpaceSpec {
  int64_t block = 1;
  kernels::DepthOrder order = kernels::DepthOrder::kDcr;
};

DepthToSpaceSpec depth_to_space_spec_from_node(const model::Node& node, int64_t opset);

// Throw InvalidArgument where the block does not divide the input.
Shape depth_to_space_shape(const DepthToSpaceSpec& spec, const Shape& x);
Shape space_to_depth_shape(const DepthToSpaceSpec& spec, const Shape& x);

}  // namespace sardonyx::ops
