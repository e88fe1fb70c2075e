// Every name that a model uses for a value, so that new ones clash with none: neither in the same graph nor in one around or within it.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "sardonyx/model.h"

namespace sardonyx::convert {

// Graphs nested deeper than this are refused: conversion walks them recursively.
inline constexpr int kMaxDepth = 200;

class Names {
 public:
  // Throws ResourceLimit for subgraphs nested deeper than kMaxDepth.
  explicit Names(const model::Model& model);
  // `base`, or `base` and a number, whichever is not used yet; it counts as used from then on.
  std::string fresh(std::string_view base);

 private:
  void add(const model::Graph& graph, int depth);
  void add(const std::vector<model::Node>& nodes, int depth);
  void add(const std::vector<std::string>& names) { used_.insert(names.begin(), names.end()); }

  std::unordered_set<std::string> used_;
  std::unordered_map<std::string, size_t> next_;  // so that many names with one base do not search from the start
};

}  // namespace sardonyx::convert
