// Conv (ai.onnx, every version) and FusedConv (ai.sardonyx): y = activation(conv(X, W) + B + Z).
//
// FusedConv takes Conv's inputs and attributes, a residual Z of Y's shape as optional fourth input, and the attributes `activation`
// and `activation_params` (ops/elementwise/activation.h).
#pragma once

#include "kernels/cpu/conv/conv.h"
#include "ops/window/window.h"

namespace sardonyx::ops {

struct ConvSpec {
  WindowSpec window;
  int64_t groups = 1;
  kernels::Activation activation;
};

ConvSpec conv_spec_from_node(const model::Node& node, int64_t opset);

struct ConvGeometry {
  kernels::ConvShape kernel;
  Shape out;
};

// Throws InvalidArgument where X and W do not fit each other or the attributes.
ConvGeometry conv_geometry(const ConvSpec& spec, std::span<const int64_t> x, std::span<const int64_t> w);

}  // namespace sardonyx::ops
