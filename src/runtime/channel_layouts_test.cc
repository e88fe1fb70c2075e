#include "runtime/channel_layouts.h"

#include <gtest/gtest.h>

namespace sardonyx::runtime {
namespace {

ProgramNode node(const char* domain, const char* op, std::vector<ValueId> inputs, std::vector<ValueId> outputs) {
  ProgramNode made;
  made.node.domain = domain;
  made.node.op_type = op;
  made.inputs = std::move(inputs);
  made.outputs = std::move(outputs);
  return made;
}

TEST(ChannelLayouts, AreToldFromTheOperators) {
  const Shape plain = {1, 32, 10, 12}, blocked = {1, 4, 10, 12, 8}, pooled = {1, 4, 5, 6, 8}, volume = {1, 4, 5, 6, 7},
              joined = {1, 8, 10, 12, 8};
  const std::vector<Shape> shapes = {plain, blocked, {16, 32, 3, 3}, blocked, blocked, pooled, plain, {1, 4}, volume, joined};
  const ProgramNode nodes[] = {node("ai.sardonyx", "BlockChannels", {0}, {1}),
                               node("ai.sardonyx", "BlockedConv", {1, 2, kAbsent}, {3}),
                               node("", "Relu", {3}, {4}),
                               node("ai.sardonyx", "BlockedMaxPool", {4}, {5, kAbsent}),
                               node("ai.sardonyx", "UnblockChannels", {4}, {6}),
                               node("", "Shape", {0}, {7}),
                               node("", "Conv", {8, 2}, {8}),
                               node("", "Concat", {3, 4}, {9})};
  const char* expected[] = {"to blocked 8", "blocked 8", "blocked 8", "blocked 8", "to plain", "plain", "plain", "blocked 8"};
  ChannelLayouts layouts(shapes.size(), [&](ValueId id) -> const Shape& { return shapes[static_cast<size_t>(id)]; });
  for (const ProgramNode& one : nodes) layouts.note(one);
  for (size_t i = 0; i < std::size(nodes); ++i) EXPECT_EQ(layouts.of(nodes[i]), expected[i]) << nodes[i].node.op_type;
  EXPECT_EQ(layouts.of(node("ai.sardonyx", "RowChain", {0}, {5})), "blocked 8");
}

}  // namespace
}  // namespace sardonyx::runtime
