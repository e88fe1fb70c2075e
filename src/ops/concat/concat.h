// Concat and Split, of any element type of whole bytes.
#pragma once

#include <optional>

#include "ops/op.h"

namespace sardonyx::ops {

// Throws InvalidArgument where the shapes differ beside `axis`.
Shape concat_shape(std::span<const ValueFacts> inputs, size_t axis);

struct SplitSpec {
  int64_t axis = 0;
  std::optional<std::vector<int64_t>> sizes;  // attribute, until opset 12
  size_t parts = 1;                           // without sizes: the number of equal parts, the last of which may be smaller
  bool may_be_uneven = false;                 // from opset 18 (num_outputs)
};
SplitSpec split_spec_from_node(const model::Node& node, int64_t opset);
// The size of each part of `size` elements. Throws InvalidArgument where they do not add up.
std::vector<int64_t> split_sizes(const SplitSpec& spec, int64_t size, const std::optional<std::vector<int64_t>>& sizes);

}  // namespace sardonyx::ops
