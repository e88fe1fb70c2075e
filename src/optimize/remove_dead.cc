#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "optimize/rules.h"

namespace sardonyx::optimize {

std::optional<Patch> remove_dead(const GraphView& graph, size_t index) {
  std::unordered_set<size_t> dead;
  const auto is_dead = [&](size_t node) {
    return std::ranges::all_of(graph.node(node)->output, [&](const std::string& output) {
      return output.empty() || (!graph.is_pinned(output) &&
                                std::ranges::all_of(graph.consumers(output), [&](size_t reader) { return dead.contains(reader); }));
    });
  };
  // Nodes that only the dead read are dead too.
  std::vector<size_t> open = {index};
  while (!open.empty()) {
    const size_t node = open.back();
    open.pop_back();
    if (dead.contains(node) || !is_dead(node)) continue;
    dead.insert(node);
    for (const std::string& input : graph.node(node)->input) {
      if (const std::optional<size_t> producer = graph.producer(input)) open.push_back(*producer);
    }
  }
  if (dead.empty()) return std::nullopt;
  Patch patch{.remove = {dead.begin(), dead.end()}};
  std::ranges::sort(patch.remove);
  return patch;
}

}  // namespace sardonyx::optimize
