#include "optimize/min_cut.h"

#include <algorithm>

namespace sardonyx::optimize {
namespace {
constexpr size_t kUnreached = SIZE_MAX;
}

size_t MinCut::add_node() {
  out_.emplace_back();
  return out_.size() - 1;
}

void MinCut::add_edge(size_t from, size_t to, int64_t cost) {
  out_[from].push_back(edges_.size());
  edges_.push_back({to, cost});
  out_[to].push_back(edges_.size());
  edges_.push_back({from, 0});
}

// Distances from the source along edges with room; whether the sink is reached.
bool MinCut::find_levels() {
  level_.assign(out_.size(), kUnreached);
  level_[kSource] = 0;
  std::vector<size_t> queue = {kSource};
  for (size_t i = 0; i < queue.size(); ++i) {
    for (const size_t e : out_[queue[i]]) {
      if (edges_[e].room == 0 || level_[edges_[e].to] != kUnreached) continue;
      level_[edges_[e].to] = level_[queue[i]] + 1;
      queue.push_back(edges_[e].to);
    }
  }
  return level_[kSink] != kUnreached;
}

// Sends what fits along one path of growing levels; 0: there is none left.
int64_t MinCut::push(int64_t limit) {
  std::vector<size_t> path;  // edges
  size_t node = kSource;
  while (node != kSink) {
    const auto is_open = [&](size_t e) { return edges_[e].room > 0 && level_[edges_[e].to] == level_[node] + 1; };
    size_t& next = next_[node];
    while (next < out_[node].size() && !is_open(out_[node][next])) ++next;
    if (next < out_[node].size()) {
      path.push_back(out_[node][next]);
      node = edges_[path.back()].to;
      continue;
    }
    if (path.empty()) return 0;
    node = edges_[path.back() ^ 1].to;
    path.pop_back();
    ++next_[node];
  }
  for (const size_t e : path) limit = std::min(limit, edges_[e].room);
  for (const size_t e : path) {
    edges_[e].room -= limit;
    edges_[e ^ 1].room += limit;
  }
  return limit;
}

std::vector<bool> MinCut::solve() {
  while (find_levels()) {
    next_.assign(out_.size(), 0);
    while (push(kNever) > 0) continue;
  }
  std::vector<bool> with_source(out_.size());
  for (size_t i = 0; i < out_.size(); ++i) with_source[i] = level_[i] != kUnreached;
  return with_source;
}

}  // namespace sardonyx::optimize
