// Constants that a conversion leaves without a use: they became attributes, or were tried and not needed.
#pragma once

#include <string>
#include <unordered_set>

#include "sardonyx/model.h"

namespace sardonyx::convert {

class Leftovers {
 public:
  explicit Leftovers(const model::Model& original);
  // Removes the constants of `converted` that nothing uses, except those that nothing used in the original either.
  void remove(model::Model& converted) const;

 private:
  struct Survey;
  void remove(model::Graph& graph, const Survey& now) const;
  void remove(std::vector<model::Node>& nodes, const Survey& now) const;

  std::unordered_set<std::string> unused_;  // names of the original's own unused constants
};

}  // namespace sardonyx::convert
