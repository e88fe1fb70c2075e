#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(FuseConvBatchNorm, FoldsBatchNormalizationIntoConv) {
  auto builder = conv_block();
  for (const char* name : {"scale", "shift", "mean"}) builder.constant(name, random_tensor({4}, static_cast<uint32_t>(name[0])));
  builder.constant("var", Tensor::of<float>({4}, {0.5f, 1.0f, 2.0f, 0.1f}));
  builder.node("BatchNormalization", {"c", "scale", "shift", "mean", "var"}, {"n"}).node("Relu", {"n"}, {"y"});
  const model::Model after = optimized(builder.build(), {{"x", random_tensor({1, 3, 5, 5})}}, GraphOptimizationLevel::kAll, 1e-5f);
  EXPECT_THAT(operators(after), ElementsAre("FusedConv"));
}

}  // namespace
}  // namespace sardonyx::optimize
