// What must hold between the nodes of a graph: every value defined once, before it is used.
#pragma once

#include "check/node_rules.h"
#include "check/report.h"

namespace sardonyx::check {

// The graph of a model or of its training information.
void check_main_graph(Reporter& reporter, const model::Graph& graph, const NodeContext& context);
void check_function(Reporter& reporter, const model::Function& function, const model::Model& model);

}  // namespace sardonyx::check
