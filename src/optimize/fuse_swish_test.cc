#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

ModelBuilder start(int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.input("x", {"n", 4}).output("y").constant("alpha", Tensor::scalar(1.702f)).constant("rows", Tensor::full({1, 1, 1}, 1.5));
  return builder;
}
std::vector<std::string> after(const ModelBuilder& builder) {
  const Feeds feeds = {{"x", Tensor::of<float>({2, 4}, {-9, -1, -0.0f, 0, 0.25f, 1, 5, 60})}};
  return operators(optimized(builder.build(), feeds, GraphOptimizationLevel::kAll, 2e-6f));
}

TEST(FuseSwish, WithAndWithoutAFactor) {
  EXPECT_THAT(after(start().node("Sigmoid", {"x"}, {"s"}).node("Mul", {"x", "s"}, {"y"})), ElementsAre("QuickGelu"));
  EXPECT_THAT(after(start(24).node("Sigmoid", {"x"}, {"s"}).node("Mul", {"s", "x"}, {"y"})), ElementsAre("Swish"));
  EXPECT_THAT(after(start().node("Mul", {"alpha", "x"}, {"a"}).node("Sigmoid", {"a"}, {"s"}).node("Mul", {"s", "x"}, {"y"})),
              ElementsAre("QuickGelu"));
}

TEST(FuseSwish, LeavesWhatOnlyLooksAlike) {
  // Of another value, with a factor that adds a dimension, of a sum.
  EXPECT_THAT(
      after(start().node("Neg", {"x"}, {"z"}).node("Sigmoid", {"z"}, {"s"}).node("Exp", {"x"}, {"e"}).node("Mul", {"e", "s"}, {"y"})),
      ElementsAre("Neg", "Sigmoid", "Exp", "Mul"));
  EXPECT_THAT(after(start().node("Mul", {"rows", "x"}, {"a"}).node("Sigmoid", {"a"}, {"s"}).node("Mul", {"s", "x"}, {"y"})),
              ElementsAre("Mul", "Sigmoid", "Mul"));
  EXPECT_THAT(after(start().node("Add", {"alpha", "x"}, {"a"}).node("Sigmoid", {"a"}, {"s"}).node("Mul", {"s", "x"}, {"y"})),
              ElementsAre("Add", "Sigmoid", "Mul"));
}

}  // namespace
}  // namespace sardonyx::optimize
