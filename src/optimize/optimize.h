// Rewrites a model's graph: operators that are graphs themselves first (expand/expand.h), then by the passes of passes.cc.
//
// Graph inputs and outputs keep names, order and types. Initializers that a feed can replace (graph inputs too, from IR version 4 on) are
// not taken for constants.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/model.h"
#include "sardonyx/session.h"

namespace sardonyx::optimize {

// Tells for each pass how often it changed the model. Throws InvalidArgument for an unknown name in `disabled`, InvalidModel for a graph
// that cannot be put in running order.
std::vector<PassReport> optimize(model::Model& model, GraphOptimizationLevel level, std::span<const std::string> disabled = {});

// The same for a model that is to be saved: without the passes that suit the graph to this machine.
std::vector<PassReport> optimize_to_save(model::Model& model, GraphOptimizationLevel level, std::span<const std::string> disabled = {});

// Whether the pass takes part at that level.
bool is_enabled(std::string_view name, GraphOptimizationLevel level, std::span<const std::string> disabled);

}  // namespace sardonyx::optimize
