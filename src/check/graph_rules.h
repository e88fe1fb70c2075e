// What must hold between the nodes of a graph: every value defined once, before it is used.
#pragma once

#include "check/context.h"
#include "check/names.h"
#include "check/report.h"

namespace sardonyx::check {

// The graph of a model or of its training information; `names` takes its values, and may lie within those of another graph.
void check_main_graph(Reporter& reporter, const model::Graph& graph, const NodeContext& context, NameScope& names);
// A function's inputs, nodes and outputs.
void check_body(Reporter& reporter, const model::Function& function, const NodeContext& context);

}  // namespace sardonyx::check
