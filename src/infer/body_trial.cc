// Inferring a subgraph on an assumption: a loop's rule assumes that shapes stay as they are, and looks whether they do.
#include <utility>

#include "infer/inference.h"

namespace sardonyx::infer {

namespace {
constexpr int kDeepestNesting = 64;
}

// What an abandoned trial found is not to be written into the model. The nesting was bounded when the names were reserved; bodies bound to
// a function's attributes are copies of such.
void Inference::forget_results(const model::Graph& graph, int depth) {
  if (depth > kDeepestNesting) return;
  results_.erase(&graph);
  for (const model::Node& node : graph.node) {
    for (const model::Attribute& attribute : node.attribute) {
      if (attribute.g != nullptr) forget_results(*attribute.g, depth + 1);
      for (const auto& inner : attribute.graphs) forget_results(*inner, depth + 1);
    }
  }
}

std::optional<std::vector<Value>> Inference::try_body(const model::Graph& body, std::string_view attribute, std::span<const Value> inputs) {
  const State before = state_;
  const size_t calls = calls_.size();
  const bool was_strict = std::exchange(options_.strict, true);
  std::optional<std::vector<Value>> outputs;
  ++tries_;
  try {
    outputs = infer_body(body, attribute, inputs);
  } catch (const Error& error) {
    options_.strict = was_strict;
    if (error.code() == ErrorCode::kResourceLimit) throw;
    state_ = before;
    calls_.resize(calls);
    reported_ = false;
    forget_results(body, 0);
  }
  --tries_;
  options_.strict = was_strict;
  return outputs;
}

void Inference::infer_untaken(const model::Graph& body, std::string_view attribute) {
  const State before = state_;
  const size_t calls = calls_.size(), problems = report_.problems.size();
  const bool was_strict = std::exchange(options_.strict, false);
  try {
    infer_body(body, attribute, {});
  } catch (const Error& error) {
    options_.strict = was_strict;
    if (error.code() == ErrorCode::kResourceLimit) throw;
    state_ = before;
    calls_.resize(calls);
  }
  options_.strict = was_strict;
  report_.problems.resize(problems);
}

}  // namespace sardonyx::infer
