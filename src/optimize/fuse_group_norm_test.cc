#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;
using testing::ElementsAre;

const Feeds kFeeds = {{"x", random_tensor({2, 6, 3, 2})}};

// Two groups of three channels, then a scale and a bias for each channel.
ModelBuilder group_norm(int64_t opset, std::vector<int64_t> split = {0, 2, -1}) {
  ModelBuilder builder(opset);
  builder.input("x", {"n", 6, 3, 2}).output("y").constant("split", Tensor::of<int64_t>({3}, {split[0], split[1], split[2]}));
  builder.constant("s", random_tensor({2}, 3)).constant("b", random_tensor({2}, 4));
  builder.constant("weight", random_tensor({6, 1, 1}, 5)).constant("bias", random_tensor({6, 1, 1}, 6));
  builder.node("Shape", {"x"}, {"shape"}).node("Reshape", {"x", "split"}, {"g"});
  return builder.node("InstanceNormalization", {"g", "s", "b"}, {"i"}, {Attribute::of("epsilon", 0.01f)})
      .node("Reshape", {"i", "shape"}, {"r"});
}

TEST(FuseGroupNorm, ReshapesAroundInstanceNormalization) {
  for (const int64_t opset : {17, 21}) {
    auto whole = group_norm(opset);
    whole.node("Mul", {"r", "weight"}, {"m"}).node("Add", {"bias", "m"}, {"y"});
    const auto after = optimized(whole.build(), kFeeds, GraphOptimizationLevel::kAll, 1e-5f);
    EXPECT_THAT(operators(after), testing::Contains("GroupNormalization"));
    EXPECT_THAT(operators(after), testing::Not(testing::Contains("InstanceNormalization")));
    EXPECT_EQ(after.graph.node.back().domain, opset < 21 ? "ai.sardonyx" : "");
    auto plain = group_norm(opset);
    plain.node("Relu", {"r"}, {"y"});
    EXPECT_THAT(operators(optimized(plain.build(), kFeeds, GraphOptimizationLevel::kAll, 1e-5f)), testing::Contains("GroupNormalization"));
  }
}

TEST(FuseGroupNorm, OtherReshapesStay) {
  auto other = group_norm(17, {0, 2, 18});
  other.node("Relu", {"r"}, {"y"});
  EXPECT_THAT(operators(optimized(other.build(), kFeeds)), testing::Contains("InstanceNormalization"));
  auto read = group_norm(17).output("i");
  read.node("Relu", {"r"}, {"y"});
  EXPECT_THAT(operators(optimized(read.build(), kFeeds)), testing::Contains("InstanceNormalization"));
}

}  // namespace
}  // namespace sardonyx::optimize
