// Functions of one operand as graphs spell them, in terms of what the products of our own domain can apply (ops/elementwise/activation.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "optimize/graph_view.h"

namespace sardonyx::optimize {

struct ActivationMatch {
  std::string name;
  std::vector<float> params;
  std::vector<size_t> nodes;  // that compute it
  std::string output;
};

// The function of one node; `nodes` stays empty.
std::optional<ActivationMatch> match_activation_of(const GraphView& graph, const model::Node& node);
// What is done with the value, if that is one function and nothing else: Relu, Clip with constant bounds, LeakyRelu, HardSigmoid,
// HardSwish, Sigmoid, Tanh, Swish (QuickGelu), x * Sigmoid(x), x * HardSigmoid(x).
std::optional<ActivationMatch> match_activation(const GraphView& graph, const std::string& value);

}  // namespace sardonyx::optimize
