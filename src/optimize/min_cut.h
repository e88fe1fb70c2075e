// The cheapest way to part the nodes of a network in two: what the edges from the source's side to the sink's cost together is least.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sardonyx::optimize {

class MinCut {
 public:
  static constexpr size_t kSource = 0, kSink = 1;
  static constexpr int64_t kNever = int64_t{1} << 50;  // the cost of an edge that is never cut

  size_t add_node();
  // `cost` >= 0 is paid where `from` stays with the source and `to` with the sink.
  void add_edge(size_t from, size_t to, int64_t cost);

  // For each node, whether it stays with the source: of the cheapest cuts the one with the fewest such nodes. May be called once.
  std::vector<bool> solve();

 private:
  struct Edge {
    size_t to;
    int64_t room;
  };

  bool find_levels();
  int64_t push(int64_t limit);

  std::vector<Edge> edges_;                          // each followed by its reverse
  std::vector<std::vector<size_t>> out_ = {{}, {}};  // edges by node
  std::vector<size_t> level_, next_;                 // by node
};

}  // namespace sardonyx::optimize
