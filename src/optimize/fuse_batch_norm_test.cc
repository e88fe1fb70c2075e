#include "optimize/product_cases.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

ModelBuilder& normalize(ModelBuilder& builder, int64_t channels, std::vector<model::Attribute> attributes = {}) {
  for (const char* name : {"scale", "shift", "mean"}) builder.constant(name, random_tensor({channels}, static_cast<uint32_t>(name[0])));
  Tensor var = random_tensor({channels}, 5);
  for (float& v : var.mutable_values<float>()) v = 1.5f + v;
  return builder.constant("var", var).node("BatchNormalization", {"c", "scale", "shift", "mean", "var"}, {"y"}, std::move(attributes));
}

TEST(FuseBatchNorm, FoldsIntoTheProductBefore) {
  for (const ProductCase& c : product_cases()) {
    for (const bool with_bias : {false, true}) {
      if (c.op_type == "MatMul") continue;
      ModelBuilder builder = product_block(c, with_bias);
      const int64_t channels = c.bias.back();
      const auto after = optimized(normalize(builder, channels).build(), feeds_of(c), GraphOptimizationLevel::kAll, 1e-5f);
      EXPECT_THAT(operators(after), ElementsAre(c.op_type)) << "bias: " << with_bias;
    }
  }
}

TEST(FuseBatchNorm, MatMulOfMatricesBecomesGemm) {
  const ProductCase c = {"MatMul", "", {2, 3}, {3, 4}, {}, {}, {}};
  ModelBuilder matrix = product_block(c, false);
  EXPECT_THAT(operators(optimized(normalize(matrix, 4).build(), feeds_of(c), GraphOptimizationLevel::kAll, 1e-5f)), ElementsAre("Gemm"));
  // Of a stack of matrices the second dimension is normalised, not the columns.
  const ProductCase stack = {"MatMul", "", {2, 4, 3}, {3, 4}, {}, {}, {}};
  ModelBuilder builder = product_block(stack, false);
  EXPECT_THAT(operators(optimized(normalize(builder, 4).build(), feeds_of(stack))), ElementsAre("MatMul", "BatchNormalization"));
}

TEST(FuseBatchNorm, LeavesWhatItCannotFold) {
  const ProductCase c = product_cases()[0];
  ModelBuilder shared = product_block(c, true).output("c");  // somebody else reads the convolution
  EXPECT_THAT(operators(optimized(normalize(shared, 4).build(), feeds_of(c))), ElementsAre("Conv", "BatchNormalization"));
  ModelBuilder huge = product_block(c, true);  // the weights would overflow
  huge.constant("scale", Tensor::full({4}, 3e38f)).constant("shift", Tensor::zeros({4})).constant("mean", Tensor::zeros({4}));
  huge.constant("var", Tensor::full({4}, 1e-12f));
  huge.node("BatchNormalization", {"c", "scale", "shift", "mean", "var"}, {"y"}, {model::Attribute::of("epsilon", 0.0f)});
  model::Model model = huge.build();
  EXPECT_EQ(rewrites(optimize(model, GraphOptimizationLevel::kAll), "fuse_batch_norm"), 0U);
}

}  // namespace
}  // namespace sardonyx::optimize
