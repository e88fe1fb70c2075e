// Which nodes could run on channel-blocked images (ops/blocked/blocked.h), and what that would save.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "optimize/product.h"

namespace sardonyx::optimize {

// An image of float32 all of whose sizes are known, but perhaps the batch's (then 1).
struct ImageSize {
  int64_t batch = 1, channels = 1, height = 1, width = 1;
  double plane() const noexcept { return static_cast<double>(height) * static_cast<double>(width); }
  double elements() const noexcept { return static_cast<double>(batch) * static_cast<double>(channels) * plane(); }
};
std::optional<ImageSize> image_size(const GraphView& graph, const std::string& value);

// Times are estimates in nanoseconds of one thread.
struct BlockedRole {
  std::string op_type = {};           // of ai.sardonyx, that takes the node's place; empty: the node itself takes blocked images
  std::vector<size_t> images = {};    // the inputs that it reads blocked, in the order of the operator that takes its place
  bool may_read_plain = false;        // input 0 may stay plain
  std::optional<Affine> affine = {};  // of a BatchNormalization: it becomes a depthwise convolution of one tap
  double gain = 0;                    // less than 0: what blocks cost
};
// Nullopt: the node takes plain images only. Of a convolution the reason is noted in `refusal`.
std::optional<BlockedRole> blocked_role(const GraphView& graph, const model::Node& node, std::string& refusal);

// Of an image from one layout to the other.
double conversion_cost(const ImageSize& image);

}  // namespace sardonyx::optimize
