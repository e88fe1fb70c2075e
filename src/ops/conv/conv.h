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

// Whether a convolution of such weights (M, C, kernel...), with one group, strides and dilations of 1, is computed by Winograd's filtering
// where that is allowed (BindContext::winograd).
bool winograd_serves(std::span<const int64_t> weights);

}  // namespace sardonyx::ops
