// What shape inference finds out of a graph before its first rewrite.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx::optimize {

struct KnownValue {
  model::TensorType type;                       // equal symbols are equal sizes
  std::vector<model::Dimension> elements = {};  // of small integer tensors of rank 0 or 1, as far as known; empty: nothing known
};
using KnownValues = std::unordered_map<std::string, KnownValue>;

// The tensors among the graph's inputs, initializers and what its nodes make. Relies on nothing that feeds are not held to: only inputs
// declare sizes, and an initializer that a feed can replace is no constant. A value about which inference fails is not there.
KnownValues known_values(const model::Model& model);

}  // namespace sardonyx::optimize
