#include "optimize/min_cut.h"

#include <gtest/gtest.h>

#include <random>

namespace sardonyx::optimize {
namespace {

struct TestEdge {
  size_t from, to;
  int64_t cost;
};

int64_t cost_of(const std::vector<TestEdge>& edges, const std::vector<bool>& with_source) {
  int64_t sum = 0;
  for (const TestEdge& edge : edges) sum += with_source[edge.from] && !with_source[edge.to] ? edge.cost : 0;
  return sum;
}

// Against all partitions of small random networks.
TEST(MinCut, IsTheCheapest) {
  std::mt19937 engine(7);
  const auto below = [&](uint32_t bound) { return static_cast<size_t>(engine() % bound); };
  for (int round = 0; round < 300; ++round) {
    const size_t inner = below(8), nodes = inner + 2;
    MinCut cut;
    for (size_t i = 0; i < inner; ++i) EXPECT_EQ(cut.add_node(), i + 2);
    std::vector<TestEdge> edges;
    for (size_t i = below(25); i > 0; --i) {
      const TestEdge edge = {below(static_cast<uint32_t>(nodes)), below(static_cast<uint32_t>(nodes)), static_cast<int64_t>(below(10))};
      if (edge.from == edge.to) continue;
      edges.push_back(edge);
      cut.add_edge(edge.from, edge.to, edge.cost);
    }
    const std::vector<bool> found = cut.solve();
    EXPECT_TRUE(found[MinCut::kSource]);
    EXPECT_FALSE(found[MinCut::kSink]);
    int64_t least = MinCut::kNever;
    for (size_t bits = 0; bits < size_t{1} << inner; ++bits) {
      std::vector<bool> sides = {true, false};
      for (size_t i = 0; i < inner; ++i) sides.push_back((bits >> i & 1) != 0);
      least = std::min(least, cost_of(edges, sides));
    }
    EXPECT_EQ(cost_of(edges, found), least);
  }
}

TEST(MinCut, TiesStayWithTheSink) {
  MinCut cut;
  const size_t node = cut.add_node();
  cut.add_edge(MinCut::kSource, node, 5);
  cut.add_edge(node, MinCut::kSink, 5);
  EXPECT_FALSE(cut.solve()[node]);
}

}  // namespace
}  // namespace sardonyx::optimize
