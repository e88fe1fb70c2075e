// What rules ask about shapes that the graph knows.
#pragma once

#include <optional>
#include <string>

#include "optimize/graph_view.h"

namespace sardonyx::optimize {

std::optional<size_t> known_rank(const GraphView& graph, const std::string& value);
// Both are known to have one type and shape, up to symbols of the same name.
bool known_same_shape(const GraphView& graph, const std::string& a, const std::string& b);

}  // namespace sardonyx::optimize
