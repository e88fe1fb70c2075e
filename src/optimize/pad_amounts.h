// The Pad operator, every version, as the rules about padding see it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "optimize/graph_view.h"

namespace sardonyx::optimize {

// What a Pad of constants adds.
struct PadAmounts {
  std::vector<int64_t> begin, end;  // of the spatial dimensions, none negative
  double value = 0;
};
// nullopt: another operator or mode, amounts that are not constant, or padding of the first two dimensions. `rank`: of the padded tensor.
std::optional<PadAmounts> pad_amounts(const GraphView& graph, const model::Node& node, size_t rank);

}  // namespace sardonyx::optimize
