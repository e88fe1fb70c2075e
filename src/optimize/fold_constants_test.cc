#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(FoldConstants, FoldsConstantsThroughChains) {
  const auto model = ModelBuilder()
                         .input("x", {2})
                         .output("y")
                         .constant("a", random_tensor({2}, 1))
                         .constant("b", random_tensor({2}, 2))
                         .node("Add", {"a", "b"}, {"c"})
                         .node("Neg", {"c"}, {"d"})
                         .node("Mul", {"x", "d"}, {"y"})
                         .build();
  const auto after = optimized(model, {{"x", random_tensor({2}, 3)}}, GraphOptimizationLevel::kBasic);
  EXPECT_THAT(operators(after), ElementsAre("Mul"));
  ASSERT_EQ(after.graph.initializer.size(), 1U);
  EXPECT_EQ(after.graph.initializer[0].name, "d");
}

TEST(FoldConstants, DoesNotFoldWhatGrowsTooMuch) {
  const auto model = ModelBuilder()
                         .input("x", {1})
                         .output("y")
                         .constant("row", random_tensor({1, 2000}))
                         .constant("column", random_tensor({2000, 1}))
                         .node("Add", {"row", "column"}, {"table"})
                         .node("Add", {"table", "x"}, {"y"})
                         .build();
  model::Model after = model;
  EXPECT_EQ(rewrites(optimize(after, GraphOptimizationLevel::kAll), "fold_constants"), 0U);
}

TEST(FoldConstants, SequencesStay) {
  ModelBuilder builder;
  builder.import("ai.onnx.ml", 1).output("y").constant("a", random_tensor({1, 2}));
  builder.node("ZipMap", {"a"}, {"y"}, {model::Attribute::of("classlabels_int64s", std::vector<int64_t>{1, 2})}, "ai.onnx.ml");
  model::Model model = builder.build();
  model.graph.output[0].type = {};
  EXPECT_EQ(rewrites(optimize(model, GraphOptimizationLevel::kAll), "fold_constants"), 0U);
}

TEST(FoldConstants, FoldedGraphOutputStays) {
  const auto model =
      ModelBuilder().output("y").constant("a", random_tensor({3})).node("Relu", {"a"}, {"b"}).node("Neg", {"b"}, {"y"}).build();
  const auto after = optimized(model, {});
  EXPECT_TRUE(after.graph.node.empty());
}

TEST(FoldConstants, OverridableInitializersAreNoConstants) {
  for (const int64_t ir_version : {3, 4}) {
    auto builder = ModelBuilder(17, ir_version);
    builder.input("x", {2}).input("w", {2}).output("y").constant("w", random_tensor({2}));
    builder.node("Neg", {"w"}, {"n"}).node("Add", {"x", "n"}, {"y"});
    const auto after = optimized(builder.build(), {{"x", random_tensor({2}, 4)}, {"w", random_tensor({2})}});
    EXPECT_EQ(after.graph.node.size(), ir_version < 4 ? 1U : 2U) << ir_version;
    EXPECT_EQ(after.graph.input.size(), 2U);
  }
}

}  // namespace
}  // namespace sardonyx::optimize
