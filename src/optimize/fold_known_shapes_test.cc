#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(FoldKnownShapes, OfSizesThatAreKnown) {
  const auto build = [](int64_t axis) {
    return ModelBuilder()
        .input("x", {"n", 6})
        .output("y")
        .constant("axis", Tensor::scalar(axis))
        .constant("three", Tensor::scalar<int64_t>(3))
        .constant("first", Tensor::of<int64_t>({1}, {0}))
        .constant("rest", Tensor::of<int64_t>({1}, {-1}))
        .node("Shape", {"x"}, {"s"})
        .node("Gather", {"s", "axis"}, {"g"})
        .node("Mul", {"g", "three"}, {"m"})
        .node("Unsqueeze", {"m", "first"}, {"u"})
        .node("ConstantOfShape", {"u"}, {"z"})
        .node("ReduceSum", {"z", "first"}, {"r"})
        .node("Add", {"x", "r"}, {"y"})
        .build();
  };
  const Feeds feeds = {{"x", random_tensor({2, 6})}};
  EXPECT_THAT(operators(optimized(build(1), feeds, GraphOptimizationLevel::kBasic)), ElementsAre("Add"));
  EXPECT_THAT(operators(optimized(build(0), feeds, GraphOptimizationLevel::kBasic)),
              ElementsAre("Shape", "Gather", "Mul", "Unsqueeze", "ConstantOfShape", "ReduceSum", "Add"));
}

}  // namespace
}  // namespace sardonyx::optimize
