// What must hold for one node against its operator's schema, or against the function it calls: existence, counts, attributes. Values and
// subgraphs are graph_rules' matter.
#pragma once

#include "check/context.h"
#include "check/report.h"

namespace sardonyx::check {

void check_node(Reporter& reporter, const model::Node& node, const NodeContext& context, bool in_subgraph);

}  // namespace sardonyx::check
