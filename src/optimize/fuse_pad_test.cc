#include <limits>

#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;
using testing::ElementsAre;

const Feeds kFeeds = {{"x", random_tensor({1, 3, 6, 5})}};
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// 'x' padded to 'p' by 1, 0 above and left, 2, 1 below and right.
ModelBuilder padded(float value, Shape amounts_shape = {8}, int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.input("x", {1, 3, 6, 5}).output("y");
  builder.constant("amounts", Tensor::of<int64_t>(std::move(amounts_shape), {0, 0, 1, 0, 0, 0, 2, 1}))
      .constant("value", Tensor::scalar(value));
  return builder.node("Pad", {"x", "amounts", "value"}, {"p"});
}

std::vector<Attribute> kernel(int64_t size) { return {Attribute::of("kernel_shape", std::vector<int64_t>{size, size})}; }

TEST(FusePad, Conv) {
  const auto conv = [](float value, std::vector<Attribute> attributes) {
    return padded(value).constant("w", random_tensor({4, 3, 2, 2}, 2)).node("Conv", {"p", "w"}, {"y"}, std::move(attributes)).build();
  };
  EXPECT_THAT(operators(optimized(conv(0, {}), kFeeds)), ElementsAre("Conv"));
  EXPECT_THAT(operators(optimized(conv(0, {Attribute::of("auto_pad", "VALID")}), kFeeds)), ElementsAre("Conv"));
  EXPECT_THAT(operators(optimized(conv(0, {Attribute::of("pads", std::vector<int64_t>{0, 1, 0, 1})}), kFeeds)), ElementsAre("Conv"));
  EXPECT_THAT(operators(optimized(conv(1, {}), kFeeds)), ElementsAre("Pad", "Conv"));
  EXPECT_THAT(operators(optimized(conv(0, {Attribute::of("auto_pad", "SAME_UPPER")}), kFeeds)), ElementsAre("Pad", "Conv"));
}

TEST(FusePad, OldAndNewSpellings) {
  ModelBuilder old(10);
  old.input("x", {1, 3, 6, 5}).output("y").constant("w", random_tensor({4, 3, 2, 2}, 2));
  old.node("Pad", {"x"}, {"p"}, {Attribute::of("pads", std::vector<int64_t>{0, 0, 1, 0, 0, 0, 2, 1})}).node("Conv", {"p", "w"}, {"y"});
  EXPECT_THAT(operators(optimized(old.build(), kFeeds)), ElementsAre("Conv"));
  ModelBuilder axes(18);
  axes.input("x", {1, 3, 6, 5}).output("y").constant("w", random_tensor({4, 3, 2, 2}, 2));
  axes.constant("amounts", Tensor::of<int64_t>({4}, {1, 0, 2, 1})).constant("axes", Tensor::of<int64_t>({2}, {-2, 3}));
  axes.node("Pad", {"x", "amounts", "", "axes"}, {"p"}).node("Conv", {"p", "w"}, {"y"});
  EXPECT_THAT(operators(optimized(axes.build(), kFeeds)), ElementsAre("Conv"));
}

TEST(FusePad, MaxPool) {
  EXPECT_THAT(operators(optimized(padded(-kInfinity).node("MaxPool", {"p"}, {"y"}, kernel(3)).build(), kFeeds)), ElementsAre("MaxPool"));
  // A window could see padding alone, or padding that is greater than what it pads.
  EXPECT_THAT(operators(optimized(padded(-kInfinity).node("MaxPool", {"p"}, {"y"}, kernel(2)).build(), kFeeds)),
              ElementsAre("Pad", "MaxPool"));
  EXPECT_THAT(operators(optimized(padded(0).node("MaxPool", {"p"}, {"y"}, kernel(3)).build(), kFeeds)), ElementsAre("Pad", "MaxPool"));
  ModelBuilder relu(17);
  relu.input("x", {1, 3, 6, 5}).output("y").constant("amounts", Tensor::of<int64_t>({8}, {0, 0, 1, 0, 0, 0, 2, 1}));
  relu.node("Relu", {"x"}, {"r"}).node("Pad", {"r", "amounts"}, {"p"}).node("MaxPool", {"p"}, {"y"}, kernel(3));
  EXPECT_THAT(operators(optimized(relu.build(), kFeeds)), ElementsAre("Relu", "MaxPool"));
}

TEST(FusePad, AveragePool) {
  EXPECT_THAT(
      operators(optimized(padded(0).node("AveragePool", {"p"}, {"y"}, kernel(3)).build(), kFeeds, GraphOptimizationLevel::kAll, 1e-6f)),
      ElementsAre("AveragePool"));
  auto counted = kernel(3);
  counted.push_back(Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1}));
  EXPECT_THAT(operators(optimized(padded(0).node("AveragePool", {"p"}, {"y"}, counted).build(), kFeeds)),
              ElementsAre("Pad", "AveragePool"));
  counted.push_back(Attribute::of("count_include_pad", 1));
  EXPECT_THAT(
      operators(optimized(padded(0).node("AveragePool", {"p"}, {"y"}, counted).build(), kFeeds, GraphOptimizationLevel::kAll, 1e-6f)),
      ElementsAre("AveragePool"));
  auto ceil = kernel(3);
  ceil.push_back(Attribute::of("ceil_mode", 1));
  EXPECT_THAT(operators(optimized(padded(0).node("AveragePool", {"p"}, {"y"}, ceil).build(), kFeeds)), ElementsAre("Pad", "AveragePool"));
}

}  // namespace
}  // namespace sardonyx::optimize
