#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

const Feeds kFeeds = {{"x", random_tensor({1, 3, 5, 5})}, {"z", random_tensor({1, 4, 5, 5}, 7)}};

ModelBuilder residual_block() { return conv_block().input("z", {1, 4, 5, 5}).info("c", {1, 4, 5, 5}); }

TEST(FuseResidual, BothOrdersAndTheActivationBehind) {
  for (const bool conv_first : {false, true}) {
    const std::vector<std::string> inputs = conv_first ? std::vector<std::string>{"c", "z"} : std::vector<std::string>{"z", "c"};
    const auto model = residual_block().node("Add", inputs, {"s"}).node("Relu", {"s"}, {"y"}).build();
    EXPECT_THAT(operators(optimized(model, kFeeds, GraphOptimizationLevel::kAll, 1e-6f)), ElementsAre("FusedConv"));
  }
}

TEST(FuseResidual, OneOfTwoConvolutionsTakesTheSum) {
  const auto model = residual_block()
                         .constant("v", random_tensor({4, 4, 1, 1}, 8))
                         .info("d", {1, 4, 5, 5})
                         .node("Conv", {"z", "v"}, {"d"})
                         .node("Add", {"c", "d"}, {"y"})
                         .build();
  EXPECT_THAT(operators(optimized(model, kFeeds, GraphOptimizationLevel::kAll, 1e-6f)), testing::UnorderedElementsAre("Conv", "FusedConv"));
}

TEST(FuseResidual, TheInputItselfMayBeAdded) {
  const auto model = ModelBuilder()
                         .input("x", {1, 3, 5, 5})
                         .output("y")
                         .info("c", {1, 3, 5, 5})
                         .constant("w", random_tensor({3, 3, 1, 1}, 8))
                         .node("Conv", {"x", "w"}, {"c"})
                         .node("Add", {"x", "c"}, {"y"})
                         .build();
  const Feeds feeds = {{"x", random_tensor({1, 3, 5, 5})}};
  EXPECT_THAT(operators(optimized(model, feeds, GraphOptimizationLevel::kAll, 1e-6f)), ElementsAre("FusedConv"));
}

TEST(FuseResidual, OtherShapesStay) {
  const Feeds feeds = {{"x", random_tensor({1, 3, 5, 5})}, {"z", random_tensor({1, 4, 1, 1}, 7)}};
  const auto broadcast = conv_block().input("z", {1, 4, 1, 1}).info("c", {1, 4, 5, 5}).node("Add", {"c", "z"}, {"y"}).build();
  EXPECT_THAT(operators(optimized(broadcast, feeds)), ElementsAre("Conv", "Add"));
  const auto unknown = conv_block().input("z", {1, 4, {}, {}}).info("c", {1, 4, {}, {}}).node("Add", {"c", "z"}, {"y"}).build();
  EXPECT_THAT(operators(optimized(unknown, feeds)), ElementsAre("Conv", "Add"));
  // The function comes before the sum.
  const auto late = residual_block().node("Relu", {"c"}, {"r"}).info("r", {1, 4, 5, 5}).node("Add", {"r", "z"}, {"y"}).build();
  EXPECT_THAT(operators(optimized(late, kFeeds)), ElementsAre("FusedConv", "Add"));
}

}  // namespace
}  // namespace sardonyx::optimize
