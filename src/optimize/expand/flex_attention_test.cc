#include <gmock/gmock.h>

#include "core/expect_error.h"
#include "optimize/expand/expand.h"
#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

ModelBuilder builder(int64_t opset = 26) {
  ModelBuilder result(opset);
  result.import("ai.onnx.preview", 1);
  result.input("q", {1, 4, 3, 2}).input("k", {1, 2, 5, 2}).input("v", {1, 2, 5, 6}).output("y");
  return result;
}

// A modifier of one input 's' and one output 't'.
model::Graph modifier(std::string op_type, std::vector<std::string> inputs) {
  ModelBuilder b;
  b.input("s", {})
      .output("t")
      .constant("bias", Tensor::of<float>({5}, {0, 1, 0, -1, 2}))
      .node(std::move(op_type), std::move(inputs), {"t"});
  return b.build().graph;
}

Feeds feeds() {
  return {{"q", random_tensor({1, 4, 3, 2}, 1)}, {"k", random_tensor({1, 2, 5, 2}, 2)}, {"v", random_tensor({1, 2, 5, 6}, 3)}};
}

void add_flex(ModelBuilder& b, std::vector<model::Attribute> attributes) {
  b.node("FlexAttention", {"q", "k", "v"}, {"y"}, std::move(attributes), "ai.onnx.preview");
}

model::Model expanded(const ModelBuilder& b) {
  model::Model model = b.build();
  expand_composites(model);
  return model;
}

TEST(FlexAttention, WithoutModifiersIsAttention) {
  ModelBuilder fresh = builder(), old = builder(22);
  add_flex(fresh, {model::Attribute::of("scale", 0.5F)});
  add_flex(old, {model::Attribute::of("scale", 0.5F)});
  const model::Model attention = expanded(fresh), parts = expanded(old);
  EXPECT_THAT(operators(attention), Contains("Attention"));
  EXPECT_THAT(operators(parts), Not(Contains("Attention")));
  expect_equal(reference_outputs(attention, feeds())[0], reference_outputs(parts, feeds())[0], 1e-6F);
}

// A bias of the scores is a mask of Attention; a factor of the probabilities is one of the result.
TEST(FlexAttention, ModifiersBecomePartOfTheGraph) {
  ModelBuilder flex = builder(), plain = builder();
  flex.constant("factor", Tensor::scalar<float>(3));
  add_flex(flex, {model::Attribute::of("score_mod", modifier("Add", {"s", "bias"})),
                  model::Attribute::of("prob_mod", modifier("Mul", {"s", "factor"}))});
  plain.constant("mask", Tensor::of<float>({1, 5}, {0, 1, 0, -1, 2})).constant("factor", Tensor::scalar<float>(3));
  plain.node("Expand", {"mask", "shape"}, {"full"}).constant("shape", Tensor::of<int64_t>({2}, {3, 5}));
  plain.node("Attention", {"q", "k", "v", "full"}, {"u"}).node("Mul", {"u", "factor"}, {"y"});
  expect_equal(reference_outputs(plain.build(), feeds())[0], reference_outputs(expanded(flex), feeds())[0], 1e-5F);
}

TEST(FlexAttention, SparseInitializersOfModifiersMoveAlong) {
  model::Graph graph = modifier("Add", {"s", "sparse"});
  graph.sparse_initializer.resize(1);
  graph.sparse_initializer[0].values.name = "sparse";
  ModelBuilder b = builder();
  add_flex(b, {model::Attribute::of("score_mod", graph)});
  const model::Model model = expanded(b);
  ASSERT_EQ(model.graph.sparse_initializer.size(), 1U);
  const auto add = std::ranges::find(model.graph.node, "Add", &model::Node::op_type);
  ASSERT_NE(add, model.graph.node.end());
  EXPECT_EQ(add->input[1], model.graph.sparse_initializer[0].values.name);
  EXPECT_NE(add->input[1], "sparse");
}

TEST(FlexAttention, RefusesOtherModifiers) {
  ModelBuilder two_inputs = builder();
  model::Graph graph = modifier("Add", {"s", "bias"});
  graph.input.push_back(graph.input[0]);
  add_flex(two_inputs, {model::Attribute::of("score_mod", graph)});
  EXPECT_THAT(error_of([&] { expanded(two_inputs); }, ErrorCode::kInvalidModel),
              HasSubstr("attribute score_mod must be a graph of one input"));
  ModelBuilder two = builder();
  two.node("FlexAttention", {"q", "k"}, {"y"}, {}, "ai.onnx.preview");
  EXPECT_THAT(error_of([&] { expanded(two); }, ErrorCode::kInvalidModel), HasSubstr("2 inputs"));
}

// The modifier's own 'a' hides the graph's; 'outer' is read from around at two depths.
TEST(GraphWriter, InlinedGraphsKeepTheirScopes) {
  model::Graph inner;
  inner.name = "inner";
  inner.output.resize(1);
  inner.output[0].name = "i";
  inner.node.resize(1);
  inner.node[0].op_type = "Add";
  inner.node[0].input = {"a", "outer"};
  inner.node[0].output = {"i"};
  ModelBuilder body;
  body.input("s", {}).output("t");
  body.node("Neg", {"s"}, {"a"})
      .node("If", {"c"}, {"t"}, {model::Attribute::of("then_branch", inner), model::Attribute::of("else_branch", inner)});
  ModelBuilder b = builder();
  b.input("outer", {}).input("c", {}, DType::kBool).node("Neg", {"outer"}, {"a"});
  add_flex(b, {model::Attribute::of("score_mod", body.build().graph)});
  const model::Model model = expanded(b);
  const auto branch = std::ranges::find(model.graph.node, "If", &model::Node::op_type);
  const auto own = std::ranges::find_if(model.graph.node, [](const model::Node& n) { return n.op_type == "Neg" && n.input[0] != "outer"; });
  ASSERT_NE(branch, model.graph.node.end());
  ASSERT_NE(own, model.graph.node.end());
  EXPECT_NE(own->output[0], "a");
  EXPECT_EQ(branch->find_attribute("then_branch")->g->node[0].input, (std::vector<std::string>{own->output[0], "outer"}));
}

}  // namespace
}  // namespace sardonyx::optimize
