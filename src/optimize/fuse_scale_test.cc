#include "optimize/product_cases.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(FuseScale, ScalesTheWeightsOfEveryKindOfProduct) {
  for (const ProductCase& c : product_cases()) {
    for (const bool with_bias : {false, true}) {
      const auto build = [&](const char* op, bool product_first, const Shape& scale) {
        const std::vector<std::string> inputs = product_first ? std::vector<std::string>{"c", "a"} : std::vector<std::string>{"a", "c"};
        return product_block(c, with_bias).constant("a", random_tensor(scale, 5)).node(op, inputs, {"y"}).build();
      };
      const auto fused = [&](const model::Model& model) {
        return operators(optimized(model, feeds_of(c), GraphOptimizationLevel::kAll, 2e-5f));
      };
      EXPECT_THAT(fused(build("Mul", true, c.per_channel)), ElementsAre(c.op_type));
      const bool has_alpha = c.op_type == "MatMul";  // FusedMatMul has an attribute for one factor
      EXPECT_THAT(fused(build("Mul", false, {1})), ElementsAre(has_alpha ? "FusedMatMul" : c.op_type));
      EXPECT_THAT(fused(build("Div", true, c.per_channel)), ElementsAre(c.op_type));
      EXPECT_THAT(fused(build("Div", false, c.per_channel)), ElementsAre(c.op_type, "Div"));
    }
  }
}

TEST(FuseScale, LeavesFactorsThatAreNoNumbers) {
  const ProductCase c = product_cases()[0];
  const auto with = [&](const char* op, float factor) {
    model::Model model = product_block(c, true).constant("a", Tensor::full({4, 1, 1}, factor)).node(op, {"c", "a"}, {"y"}).build();
    return rewrites(optimize(model, GraphOptimizationLevel::kAll), "fuse_scale");
  };
  EXPECT_EQ(with("Mul", 2), 1U);
  EXPECT_EQ(with("Mul", std::numeric_limits<float>::infinity()), 0U);
  EXPECT_EQ(with("Mul", std::numeric_limits<float>::quiet_NaN()), 0U);
  EXPECT_EQ(with("Div", 0), 0U);
}

}  // namespace
}  // namespace sardonyx::optimize
