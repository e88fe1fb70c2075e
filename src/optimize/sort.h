// The order in which the nodes of a graph can run.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx::optimize {

// Values of the graph around that the graphs inside a node's attributes read, at any depth; a name may come more than once.
std::vector<std::string_view> names_read_by_subgraphs(const model::Node& node);
// Values of the graphs around that a graph reads; sorted, each once.
std::vector<std::string_view> outer_names(const model::Graph& graph);

// Indexes of graph.node such that each node comes after those it reads from; the file's order wherever that is possible.
// Throws InvalidModel, naming the node, for a value that nothing produces, a value produced twice, and a cycle.
std::vector<size_t> running_order(const model::Graph& graph);
void put_in_running_order(model::Graph& graph);

}  // namespace sardonyx::optimize
