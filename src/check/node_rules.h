// What must hold for one node against its operator's schema: existence, counts, attributes. Values and subgraphs are graph_rules' matter.
#pragma once

#include <span>

#include "check/report.h"

namespace sardonyx::check {

// What a node is checked in: a graph of the model, or a function's body.
struct NodeContext {
  const model::Model& model;
  std::span<const model::OpsetId> opset_import;
  bool in_function = false;
};

void check_node(Reporter& reporter, const model::Node& node, const NodeContext& context);

}  // namespace sardonyx::check
