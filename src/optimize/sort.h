// The order in which the nodes of a graph can run.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx::optimize {

// Names that the graphs inside a node's attributes read, at any depth: they may refer to values of the graph around.
std::vector<std::string_view> names_read_by_subgraphs(const model::Node& node);

// Indexes of graph.node such that each node comes after those it reads from; the file's order wherever that is possible.
// Throws InvalidModel, naming the node, for a value that nothing produces, a value produced twice, and a cycle.
std::vector<size_t> running_order(const model::Graph& graph);
void put_in_running_order(model::Graph& graph);

}  // namespace sardonyx::optimize
