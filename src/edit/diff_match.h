// Which node of one graph is which of another.
#pragma once

#include <cstddef>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx::edit {

inline constexpr size_t kNoMatch = static_cast<size_t>(-1);

struct NodeMatches {
  std::vector<size_t> b_of_a, a_of_b;  // kNoMatch where there is none
};

// Matches in rounds, surest first: equal names; equal outputs; the same computed from the same; the same used for the same; equal by
// itself; the same operator; and, unless names are ignored, a name that now stands for another operator. Linear time.
NodeMatches match_nodes(const model::Graph& a, const model::Graph& b, bool ignore_names);

}  // namespace sardonyx::edit
