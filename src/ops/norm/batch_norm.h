// BatchNormalization at inference, every version.
#pragma once

#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

struct BatchNormSpec {
  float epsilon = 1e-5f;
  bool per_element = false;  // attribute spatial = 0 (until opset 8): own statistics for each element of a sample
};

// Throws Unsupported where the node asks for training.
BatchNormSpec batch_norm_spec_from_node(const model::Node& node, int64_t opset);

struct BatchNormGeometry {
  size_t batch = 1, channels = 1, inner = 1;
  Shape statistics;  // the shape of scale, B, mean and var
};
BatchNormGeometry batch_norm_geometry(const BatchNormSpec& spec, const Shape& x);

}  // namespace sardonyx::ops
