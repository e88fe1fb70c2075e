// BatchNormalization, every version, at inference and in training.
#pragma once

#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

struct BatchNormSpec {
  float epsilon = 1e-5f;
  float momentum = 0.9f;     // share of the old statistics in the running ones
  bool training = false;     // the batch's own statistics are used
  bool per_element = false;  // attribute spatial = 0 (until opset 8): own statistics for each element of a sample
};

BatchNormSpec batch_norm_spec_from_node(const model::Node& node, int64_t opset);

struct BatchNormGeometry {
  size_t batch = 1, channels = 1, inner = 1;
  Shape statistics;  // the shape of scale, B, mean and var
};
BatchNormGeometry batch_norm_geometry(const BatchNormSpec& spec, const Shape& x);

}  // namespace sardonyx::ops
