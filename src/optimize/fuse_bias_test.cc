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

TEST(FuseBias, OfProductsOfManyMatrices) {
  const auto build = [](const char* op_type, const char* domain) {
    return ModelBuilder()
        .import("com.microsoft", 1)
        .input("x", {"n", 2, 3})
        .output("y")
        .constant("w", random_tensor({3, 4}))
        .constant("b", random_tensor({4}, 5))
        .node(op_type, {"x", "w"}, {"p"}, {}, domain)
        .node("Add", {"b", "p"}, {"y"})
        .build();
  };
  const Feeds feeds = {{"x", random_tensor({5, 2, 3})}};
  for (const auto& model : {build("MatMul", ""), build("FusedMatMul", "com.microsoft")}) {
    const auto after = optimized(model, feeds, GraphOptimizationLevel::kAll, 1e-6f);
    ASSERT_THAT(operators(after), ElementsAre("FusedMatMul"));
    EXPECT_EQ(after.graph.node[0].domain, "ai.sardonyx");
    EXPECT_THAT(after.graph.node[0].input, ElementsAre("x", "w", "b"));
  }
}

}  // namespace
}  // namespace sardonyx::optimize
