#include "optimize/product_cases.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(FuseBias, AddsToEveryKindOfProduct) {
  for (const ProductCase& c : product_cases()) {
    for (const bool with_bias : {false, true}) {
      const auto build = [&](const char* op, bool product_first, const Shape& bias) {
        const std::vector<std::string> inputs = product_first ? std::vector<std::string>{"c", "a"} : std::vector<std::string>{"a", "c"};
        return product_block(c, with_bias).constant("a", random_tensor(bias, 5)).node(op, inputs, {"y"}).build();
      };
      const std::string expected = c.op_type == "MatMul" ? "FusedMatMul" : c.op_type;
      const auto fused = [&](const model::Model& model) {
        return operators(optimized(model, feeds_of(c), GraphOptimizationLevel::kAll, 2e-6f));
      };
      EXPECT_THAT(fused(build("Add", true, c.per_channel)), ElementsAre(expected));
      EXPECT_THAT(fused(build("Add", false, {})), ElementsAre(expected));
      EXPECT_THAT(fused(build("Sub", true, c.per_channel)), ElementsAre(expected));
      EXPECT_THAT(fused(build("Sub", false, c.per_channel)), ElementsAre(c.op_type, "Sub"));
    }
  }
}

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
  // A bias with more rows or dimensions than the product would change its shape.
  EXPECT_THAT(operators(optimized(build({2, 4}), feeds)), ElementsAre("MatMul", "Add"));
  EXPECT_THAT(operators(optimized(build({1, 1, 4}), feeds)), ElementsAre("MatMul", "Add"));
}

TEST(FuseBias, LeavesOtherDirections) {
  const ProductCase c = product_cases()[0];
  const auto with = [&](Shape bias) {
    return product_block(c, true).constant("a", random_tensor(std::move(bias), 5)).node("Add", {"c", "a"}, {"y"});
  };
  EXPECT_THAT(operators(optimized(with({1, 5}).build(), feeds_of(c))), ElementsAre("Conv", "Add"));
  EXPECT_THAT(operators(optimized(with({5}).build(), feeds_of(c))), ElementsAre("Conv", "Add"));
  EXPECT_THAT(operators(optimized(with({4, 1, 5}).build(), feeds_of(c))), ElementsAre("Conv", "Add"));
  EXPECT_THAT(operators(optimized(with({1, 1, 1, 1, 1}).build(), feeds_of(c))), ElementsAre("Conv", "Add"));
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
    EXPECT_EQ(after.graph.node[0].input.size(), 3U);
  }
}

}  // namespace
}  // namespace sardonyx::optimize
