// ConvTranspose, every version, and FusedConvTranspose (ai.sardonyx): the same with the attributes `activation` and `activation_params`
// (ops/elementwise/activation.h).
#pragma once

#include "kernels/cpu/conv/conv_transpose.h"
#include "ops/window/window.h"

namespace sardonyx::ops {

struct ConvTransposeSpec {
  WindowSpec window;
  std::vector<int64_t> output_padding, output_shape;  // spatial sizes; empty where not given
  int64_t groups = 1;
  kernels::Activation activation = {};
};
ConvTransposeSpec conv_transpose_spec_from_node(const model::Node& node, int64_t opset);

struct ConvTransposeGeometry {
  kernels::ConvTransposeShape kernel;
  Shape out;
};
// Throws InvalidArgument where X and W do not fit each other or the attributes.
ConvTransposeGeometry conv_transpose_geometry(const ConvTransposeSpec& spec, const Shape& x, const Shape& w);

}  // namespace sardonyx::ops
