// BatchNormalization outside training: a factor and a summand for each channel.
#pragma once

#include <optional>

#include "optimize/product.h"

namespace sardonyx::optimize {

// What the node does to each of `channels` channels. Nullopt where it trains, where its parameters are no constants of that many values, or
// where the result is not finite.
std::optional<Affine> batch_norm_affine(const GraphView& graph, const model::Node& node, size_t channels);

}  // namespace sardonyx::optimize
