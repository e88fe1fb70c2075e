#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(FuseConvActivation, FusesConvWithActivation) {
  const Feeds feeds = {{"x", random_tensor({1, 3, 5, 5})}};
  const auto relu = optimized(conv_block().node("Relu", {"c"}, {"y"}).build(), feeds);
  EXPECT_THAT(operators(relu), ElementsAre("FusedConv"));
  EXPECT_EQ(relu.opset_version("ai.sardonyx"), 1);
  auto clip = conv_block();
  clip.constant("low", Tensor::scalar(-0.5f)).constant("high", Tensor::scalar(0.5f)).node("Clip", {"c", "low", "high"}, {"y"});
  EXPECT_THAT(operators(optimized(clip.build(), feeds)), ElementsAre("FusedConv"));
  // Somebody else reads the convolution.
  auto shared = conv_block();
  shared.output("c").node("Relu", {"c"}, {"y"});
  EXPECT_THAT(operators(optimized(shared.build(), feeds)), ElementsAre("Conv", "Relu"));
}

}  // namespace
}  // namespace sardonyx::optimize
