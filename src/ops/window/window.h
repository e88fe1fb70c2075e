// The sliding window of convolution and pooling: attributes of every opset version, and the sizes that follow from them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/window.h"
#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

enum class AutoPad { kNotSet, kSameUpper, kSameLower, kValid };

// Attribute lists are empty where the node does not give them.
struct WindowSpec {
  std::vector<int64_t> kernel, strides, dilations, pads;
  AutoPad auto_pad = AutoPad::kNotSet;
  bool ceil_mode = false;
};

// Reads kernel_shape, strides, dilations, pads, auto_pad and ceil_mode. Throws InvalidModel for values that make no window.
WindowSpec window_spec_from_node(const model::Node& node);

struct PlacedWindow {
  kernels::Window window;
  kernels::Extents pad_end = {0, 0, 0};
  Shape out;  // the spatial sizes of the result
};

// `kernel` and `spatial` are the sizes of the kernel and of the input without batch and channels. Throws InvalidArgument where ranks differ
// or no window fits, Unsupported for more than three spatial dimensions.
PlacedWindow place_window(const WindowSpec& spec, std::span<const int64_t> kernel, std::span<const int64_t> spatial);

}  // namespace sardonyx::ops
