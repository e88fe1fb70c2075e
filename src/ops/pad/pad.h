// Pad in every mode and version: constant, reflect, edge, wrap. Negative pads crop. That of com.microsoft reads its pads from an input, as
// ai.onnx does since opset 11.
#pragma once

#include "ops/op.h"

namespace sardonyx::ops {

enum class PadMode { kConstant, kReflect, kEdge, kWrap };

struct PadSpec {
  PadMode mode = PadMode::kConstant;
  std::vector<int64_t> pads;  // attribute, until opset 10
  bool by_attributes = false;
  float value = 0.0f;  // attribute, until opset 10
};
PadSpec pad_spec_from_node(const model::Node& node, int64_t opset);

// Which of the `size` elements of a dimension stands at a position outside [0, size); -1: the constant.
int64_t pad_source(PadMode mode, int64_t position, int64_t size);

// The shape of the result; `pads` holds begins, then ends, of all dimensions. Throws InvalidArgument where an empty dimension would have to
// be extended by its own elements, or more is cropped than there is.
Shape padded_shape(PadMode mode, const Shape& x, std::span<const int64_t> pads);

// Begins, then ends, for all dimensions of a tensor of rank `rank` from the pads of `axes` (null: all axes).
std::vector<int64_t> pads_of_axes(std::span<const int64_t> pads, const std::vector<int64_t>* axes, size_t rank);

}  // namespace sardonyx::ops
