#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

ModelBuilder start(std::vector<model::Dimension> skip = {"n", 3, 4}) {
  ModelBuilder builder;
  builder.input("a", {"n", 3, 4})
      .input("b", std::move(skip))
      .output("y")
      .constant("scale", random_tensor({4}, 7))
      .constant("bias", random_tensor({4}, 8));
  builder.node("Add", {"a", "b"}, {"s"});
  return builder;
}
model::Model after(const ModelBuilder& builder, Shape skip = {2, 3, 4}) {
  const Feeds feeds = {{"a", random_tensor({2, 3, 4}, 1)}, {"b", random_tensor(std::move(skip), 2)}};
  return optimized(builder.build(), feeds, GraphOptimizationLevel::kAll, 4e-6f);
}

TEST(FuseSkipLayerNorm, TheSumIsAnOutputWhereItIsRead) {
  EXPECT_THAT(operators(after(start().node("LayerNormalization", {"s", "scale", "bias"}, {"y"}))), ElementsAre("SkipLayerNormalization"));
  const auto model = after(start().node("LayerNormalization", {"s", "scale"}, {"l"}).node("Mul", {"l", "s"}, {"y"}));
  ASSERT_THAT(operators(model), ElementsAre("SkipLayerNormalization", "Mul"));
  EXPECT_THAT(model.graph.node[0].output, ElementsAre("l", "", "", "s"));
  EXPECT_THAT(operators(after(start().output("s").node("SimplifiedLayerNormalization", {"s", "scale"}, {"y"}))),
              ElementsAre("SkipSimplifiedLayerNormalization"));
}

TEST(FuseSkipLayerNorm, LeavesSumsThatBroadcast) {
  EXPECT_THAT(operators(after(start({3, 1}).node("LayerNormalization", {"s", "scale"}, {"y"}), {3, 1})),
              ElementsAre("Add", "LayerNormalization"));
}

}  // namespace
}  // namespace sardonyx::optimize
