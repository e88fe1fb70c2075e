#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::Contains;
using testing::ElementsAre;

ModelBuilder start(int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.input("x", {"n", 4}).output("y");
  builder.constant("zero", Tensor::scalar(0.0f)).constant("three", Tensor::scalar(3.0f)).constant("six", Tensor::scalar(6.0f));
  builder.node("Add", {"x", "three"}, {"a"}).node("Clip", {"a", "zero", "six"}, {"c"});
  return builder;
}
model::Model after(const ModelBuilder& builder) {
  const Feeds feeds = {{"x", Tensor::of<float>({2, 4}, {-9, -3, -1, -0.0f, 0.25f, 2.9f, 3, 60})}};
  return optimized(builder.build(), feeds, GraphOptimizationLevel::kAll, 1e-5f);
}

TEST(FuseHardSwish, FromClip) {
  EXPECT_THAT(operators(after(start().node("Div", {"c", "six"}, {"y"}))), ElementsAre("HardSigmoid"));
  EXPECT_THAT(operators(after(start().node("Div", {"c", "six"}, {"d"}).node("Mul", {"x", "d"}, {"y"}))), ElementsAre("HardSwish"));
  EXPECT_THAT(operators(after(start().node("Mul", {"x", "c"}, {"m"}).node("Div", {"m", "six"}, {"y"}))), ElementsAre("HardSwish"));
  const model::Model old = after(start(13).node("Mul", {"x", "c"}, {"m"}).node("Div", {"m", "six"}, {"y"}));
  ASSERT_THAT(operators(old), ElementsAre("HardSwish"));
  EXPECT_EQ(old.graph.node[0].domain, "ai.sardonyx");
}

TEST(FuseHardSwish, FromHardSigmoid) {
  const auto with = [](float alpha) {
    return operators(
        after(ModelBuilder()
                  .input("x", {"n", 4})
                  .output("y")
                  .node("HardSigmoid", {"x"}, {"h"}, {model::Attribute::of("alpha", alpha), model::Attribute::of("beta", 0.5f)})
                  .node("Mul", {"h", "x"}, {"y"})));
  };
  EXPECT_THAT(with(1.0f / 6), ElementsAre("HardSwish"));
  EXPECT_THAT(with(0.2f), ElementsAre("HardSigmoid", "Mul"));
}

TEST(FuseHardSwish, LeavesOtherFactors) {
  EXPECT_THAT(operators(after(start().node("Mul", {"x", "c"}, {"m"}).node("Div", {"m", "three"}, {"y"}))), Contains("Clip"));
}

}  // namespace
}  // namespace sardonyx::optimize
