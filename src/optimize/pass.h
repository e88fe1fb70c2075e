// A pass: a rule that looks at one node at a time and answers with a patch, or nothing.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "optimize/graph_view.h"
#include "sardonyx/session.h"

namespace sardonyx::optimize {

// Domain of operators that only the optimiser makes.
inline constexpr std::string_view kFusedDomain = "ai.sardonyx";

inline bool is_onnx_domain(std::string_view domain) noexcept { return domain.empty() || domain == "ai.onnx"; }

// The node's first output; "" if it has none.
inline const std::string& first_output(const model::Node& node) noexcept {
  static const std::string none;
  return node.output.empty() ? none : node.output[0];
}

using Rule = std::function<std::optional<Patch>(const GraphView& graph, size_t node)>;

struct Pass {
  std::string_view name;
  GraphOptimizationLevel level;
  Rule (*make_rule)();  // called for each sweep over the graph, so that a rule may remember the nodes it has seen; null: the pass is none
                        // over the graph, but a choice of the runtime when it makes plans
  std::string_view description;
  bool for_machine = false;  // it suits the graph to this machine: it runs behind all others, and not in models that are to be saved
};

// All passes in the order they run.
std::span<const Pass> passes() noexcept;

}  // namespace sardonyx::optimize
