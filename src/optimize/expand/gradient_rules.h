// How the gradient of a node's output becomes those of its inputs.
#pragma once

#include <functional>
#include <string>

#include "optimize/expand/graph_writer.h"

namespace sardonyx::optimize {

// One node, met on the way back. Gradients have the shapes and types of the values that they are of.
struct Backward {
  const model::Node& node;
  const std::string& gradient;  // of output 0
  NodeWriter& writer;
  std::function<bool(size_t)> wants;                      // whether the gradient of that input is asked for
  std::function<void(size_t, const std::string&)> gives;  // adds to the gradient of that input

  const std::string& input(size_t index) const { return node.input[index]; }
  const std::string& output() const { return node.output[0]; }
};

using GradientRule = void (*)(const Backward& step);

// Null: the operator cannot be differentiated.
GradientRule gradient_rule(const model::Node& node);
// Whether the outputs stay the same under small changes of the inputs (shapes, comparisons, rounding): their gradient is zero.
bool is_piecewise_constant(const model::Node& node);
// "Add, Div, ...", for messages.
std::string differentiable_operators();

}  // namespace sardonyx::optimize
