#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(FuseMish, OfOneValue) {
  const auto after = [](const char* other, int64_t opset) {
    const auto model = ModelBuilder(opset)
                           .input("x", {3})
                           .input("z", {3})
                           .output("y")
                           .node("Softplus", {"x"}, {"s"})
                           .node("Tanh", {"s"}, {"t"})
                           .node("Mul", {"t", other}, {"y"})
                           .build();
    const Feeds feeds = {{"x", Tensor::of<float>({3}, {-4, 0.5f, 30})}, {"z", random_tensor({3})}};
    return operators(optimized(model, feeds, GraphOptimizationLevel::kAll, 4e-6f));
  };
  EXPECT_THAT(after("x", 18), ElementsAre("Mish"));
  EXPECT_THAT(after("x", 13), ElementsAre("Mish"));
  EXPECT_THAT(after("z", 18), ElementsAre("Softplus", "Tanh", "Mul"));
}

}  // namespace
}  // namespace sardonyx::optimize
