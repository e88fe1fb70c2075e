#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(FuseBias, FusesBiasIntoGemm) {
  const auto build = [](Shape bias) {
    return ModelBuilder()
        .input("x", {"n", 3})
        .output("y")
        .constant("w", random_tensor({3, 4}))
        .constant("b", random_tensor(std::move(bias), 5))
        .node("MatMul", {"x", "w"}, {"p"})
        .node("Add", {"b", "p"}, {"y"})
        .build();
  };
  const Feeds feeds = {{"x", random_tensor({1, 3})}};
  EXPECT_THAT(operators(optimized(build({4}), feeds, GraphOptimizationLevel::kAll, 1e-6f)), ElementsAre("Gemm"));
  // A bias with more rows than the product would change its shape.
  EXPECT_THAT(operators(optimized(build({2, 4}), feeds)), ElementsAre("MatMul", "Add"));
}

}  // namespace
}  // namespace sardonyx::optimize
