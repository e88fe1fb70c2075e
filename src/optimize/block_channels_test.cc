#include "ops/blocked/blocked.h"
#include "optimize/rule_testing.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr int64_t kChannels = 64, kSize = 14;
const std::vector<Attribute> kPadded = {Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1})};

// Convolutions of 64 channels, each 3x3, one after the other.
class Chain {
 public:
  // Kernels of 5 x 5: those of 3 x 3 have Winograd's way.
  explicit Chain(std::vector<model::Dimension> x = {1, kChannels, kSize, kSize}, int64_t size = 5) : size_(size) {
    builder_.input("x", std::move(x));
  }

  ModelBuilder& operator*() { return builder_; }
  Chain& conv(const std::string& from, const std::string& to, int64_t in = kChannels, int64_t out = kChannels) {
    const std::string weights = "w_" + to;
    builder_.constant(weights, scaled(random_tensor({out, in, size_, size_}, ++seed_), 0.03f));
    builder_.node("Conv", {from, weights}, {to}, {Attribute::of("pads", std::vector<int64_t>(4, size_ / 2))});
    return *this;
  }
  Chain& node(std::string op_type, std::vector<std::string> inputs, std::string to, std::vector<Attribute> attributes = {}) {
    builder_.node(std::move(op_type), std::move(inputs), {std::move(to)}, std::move(attributes));
    return *this;
  }
  Chain& output(std::string name) {
    builder_.output(std::move(name));
    return *this;
  }
  model::Model build() const { return builder_.build(); }

 private:
  static Tensor scaled(Tensor tensor, float factor) {
    for (float& value : tensor.mutable_values<float>()) value *= factor;
    return tensor;
  }
  ModelBuilder builder_;
  int64_t size_;
  uint32_t seed_ = 0;
};

const Feeds kFeeds = {{"x", random_tensor({1, kChannels, kSize, kSize}, 99)}};
constexpr float kTolerance = 2e-5f;

model::Model blocked(const Chain& chain, const Feeds& feeds = kFeeds) {
  return optimized(chain.build(), feeds, GraphOptimizationLevel::kAll, kTolerance);
}

std::vector<std::string> conversions(const model::Model& model) {
  std::vector<std::string> found;
  for (const model::Node& node : model.graph.node) {
    if (node.op_type == "BlockChannels" || node.op_type == "UnblockChannels") found.push_back(node.op_type);
  }
  return found;
}

std::vector<std::string> refusals(const model::Model& model) {
  model::Model after = model;
  for (const PassReport& report : optimize(after, GraphOptimizationLevel::kAll)) {
    if (report.name == "block_channels") return report.refusals;
  }
  return {};
}

TEST(BlockChannelsPass, ConvertsOnceOnEachSide) {
  Chain chain;
  chain.conv("x", "a").node("Relu", {"a"}, "b").conv("b", "c").conv("c", "y").output("y");
  EXPECT_THAT(operators(blocked(chain)), ElementsAre("BlockChannels", "BlockedConv", "BlockedConv", "BlockedConv", "UnblockChannels"));
}

TEST(BlockChannelsPass, ResidualsPoolsAndElementwiseNodesStayInside) {
  Chain chain;
  chain.conv("x", "a").conv("a", "b").node("Add", {"b", "a"}, "s").node("Sigmoid", {"s"}, "g").node("Mul", {"s", "g"}, "m");
  chain.node("MaxPool", {"m"}, "p", {Attribute::of("kernel_shape", std::vector<int64_t>{2, 2})});
  chain.node("AveragePool", {"p"}, "q", {Attribute::of("kernel_shape", std::vector<int64_t>{2, 2})});
  chain.conv("q", "r").conv("r", "t").node("GlobalAveragePool", {"t"}, "u").node("Mul", {"t", "u"}, "v").conv("v", "y").output("y");
  const model::Model after = blocked(chain);
  EXPECT_THAT(conversions(after), ElementsAre("BlockChannels", "UnblockChannels"));
  EXPECT_THAT(operators(after), Contains("BlockedMaxPool"));
  EXPECT_THAT(operators(after), Contains("BlockedAveragePool"));
  EXPECT_THAT(operators(after), Contains("BlockedGlobalAveragePool"));
  EXPECT_THAT(operators(after), Contains("BlockedScale"));
}

TEST(BlockChannelsPass, ConcatOfWholeBlocks) {
  Chain chain;
  chain.conv("x", "a")
      .conv("x", "b")
      .node("Concat", {"a", "b"}, "c", {Attribute::of("axis", -3)})
      .conv("c", "y", 2 * kChannels)
      .output("y");
  EXPECT_THAT(conversions(blocked(chain)), ElementsAre("BlockChannels", "UnblockChannels"));
  Chain odd;
  odd.conv("x", "a", kChannels, 67)
      .conv("x", "b")
      .node("Concat", {"a", "b"}, "c", {Attribute::of("axis", 1)})
      .conv("c", "y", 131)
      .output("y");
  EXPECT_THAT(conversions(blocked(odd)), testing::SizeIs(testing::Gt(2)));
}

TEST(BlockChannelsPass, OddChannelsAndFunctionsThatMoveZero) {
  Chain chain({2, 37, kSize, kSize});
  chain.conv("x", "a", 37, 41)
      .node("Exp", {"a"}, "e")
      .conv("e", "b", 41, 83)
      .node("Sigmoid", {"b"}, "s")
      .conv("s", "y", 83, 70)
      .output("y");
  (*chain).constant("two", Tensor::scalar(2.0f));
  const Feeds feeds = {{"x", random_tensor({2, 37, kSize, kSize}, 5)}};
  const model::Model after = optimized(chain.build(), feeds, GraphOptimizationLevel::kAll, 1e-3f);
  EXPECT_THAT(conversions(after), ElementsAre("BlockChannels", "UnblockChannels"));
}

TEST(BlockChannelsPass, FirstConvolutionReadsThePlainImage) {
  Chain chain({1, 3, kSize, kSize});
  chain.conv("x", "a", 3).conv("a", "b").conv("b", "y").output("y");
  const Feeds feeds = {{"x", random_tensor({1, 3, kSize, kSize}, 5)}};
  EXPECT_THAT(conversions(blocked(chain, feeds)), ElementsAre("UnblockChannels"));
}

TEST(BlockChannelsPass, ValuesThatOthersReadStay) {
  Chain chain;
  chain.conv("x", "a").conv("a", "b").conv("b", "y").node("Transpose", {"b"}, "t").output("y").output("a").output("t");
  const model::Model after = blocked(chain);
  EXPECT_THAT(conversions(after), ElementsAre("BlockChannels", "UnblockChannels", "UnblockChannels", "UnblockChannels"));
}

TEST(BlockChannelsPass, ConstantPerChannelAndScalar) {
  Chain chain;
  (*chain).constant("each", random_tensor({1, kChannels, 1, 1}, 7)).constant("one", Tensor::full({1}, 0.5));
  chain.conv("x", "a").node("Relu", {"a"}, "r").node("Mul", {"r", "each"}, "m").node("Add", {"one", "m"}, "s").conv("s", "y").output("y");
  (void)blocked(chain);
}

TEST(BlockChannelsPass, NormalizationBecomesAConvolutionOfOneTap) {
  Chain chain;
  for (const char* name : {"scale", "shift", "mean"}) (*chain).constant(name, random_tensor({kChannels}, 20));
  (*chain).constant("variance", Tensor::full({kChannels}, 0.7));
  const auto norm = [&](std::string from, std::string to) {
    chain.node("BatchNormalization", {std::move(from), "scale", "shift", "mean", "variance"}, std::move(to));
  };
  chain.conv("x", "a").conv("a", "b").node("Concat", {"a", "b"}, "c", {Attribute::of("axis", 1)}).conv("c", "d", 2 * kChannels);
  norm("d", "n");
  chain.node("Add", {"d", "a"}, "e");
  norm("e", "m");
  chain.node("Relu", {"m"}, "r").conv("r", "f").node("Add", {"n", "f"}, "g").conv("g", "y").output("y");
  const model::Model after = blocked(chain);
  EXPECT_THAT(conversions(after), ElementsAre("BlockChannels", "UnblockChannels"));
  EXPECT_THAT(operators(after), Each(Not(testing::AnyOf("BatchNormalization", "Relu"))));
}

TEST(BlockChannelsPass, LeavesToWinogradWhatItDoesFaster) {
  Chain chain({1, kChannels, kSize, kSize}, 3);
  chain.conv("x", "a").conv("a", "y").output("y");
  EXPECT_THAT(operators(blocked(chain)), Each(std::string("Conv")));
}

TEST(BlockChannelsPass, BatchMayBeUnknown) {
  Chain chain({"n", kChannels, kSize, kSize});
  chain.conv("x", "a").conv("a", "b").conv("b", "y").output("y");
  for (const int64_t batch : {0, 1, 3}) {
    const Feeds feeds = {{"x", random_tensor({batch, kChannels, kSize, kSize}, 5)}};
    EXPECT_THAT(operators(blocked(chain, feeds)), Contains("BlockedConv"));
  }
}

TEST(BlockChannelsPass, NotWorthIt) {
  const auto small = conv_block().node("Relu", {"c"}, {"y"}).build();
  EXPECT_THAT(operators(optimized(small, {{"x", random_tensor({1, 3, 5, 5})}}, GraphOptimizationLevel::kAll, 1e-6f)),
              ElementsAre("FusedConv"));
  EXPECT_THAT(refusals(small), Contains(HasSubstr("gain less")));
}

TEST(BlockChannelsPass, TellsWhyNot) {
  Chain unknown({1, kChannels, {}, {}});
  unknown.conv("x", "a").conv("a", "y").output("y");
  EXPECT_THAT(refusals(unknown.build()), Contains(HasSubstr("sizes of its images are not known")));
  Chain large({1, kChannels, 700, 700});
  large.conv("x", "a").conv("a", "y").output("y");
  EXPECT_THAT(refusals(large.build()), Contains(HasSubstr("large")));
  Chain fed;
  (*fed).input("w", {kChannels, kChannels, 5, 5});
  fed.node("Conv", {"x", "w"}, "y", kPadded).output("y");
  EXPECT_THAT(refusals(fed.build()), Contains(HasSubstr("weights are not constant")));
}

TEST(BlockChannelsPass, OtherTypesRanksAndBroadcastsStay) {
  ModelBuilder line;
  line.input("x", {1, kChannels, 200}).output("y").constant("w", random_tensor({kChannels, kChannels, 3}, 2));
  line.node("Conv", {"x", "w"}, {"y"});
  const Feeds feeds = {{"x", random_tensor({1, kChannels, 200})}};
  EXPECT_THAT(operators(optimized(line.build(), feeds)), ElementsAre("Conv"));
  // One value for all channels of a pixel: no block has it.
  Chain chain;
  (*chain).input("z", {1, 1, kSize, kSize});
  chain.conv("x", "a").node("Mul", {"a", "z"}, "m").conv("m", "y").output("y");
  Feeds both = kFeeds;
  both.emplace_back("z", random_tensor({1, 1, kSize, kSize}, 3));
  (void)blocked(chain, both);
}

TEST(BlockChannelsPass, SavedModelsStayPlain) {
  Chain chain;
  chain.conv("x", "a").conv("a", "b").conv("b", "y").output("y");
  model::Model model = chain.build();
  optimize_to_save(model, GraphOptimizationLevel::kAll);
  EXPECT_THAT(operators(model), Each(Not(StartsWith("Block"))));
  model = chain.build();
  const std::vector<std::string> disabled = {"block_channels"};
  optimize(model, GraphOptimizationLevel::kAll, disabled);
  EXPECT_THAT(operators(model), Each(Not(StartsWith("Block"))));
  model = chain.build();
  optimize(model, GraphOptimizationLevel::kExtended);
  EXPECT_THAT(operators(model), Each(Not(StartsWith("Block"))));
}

}  // namespace
}  // namespace sardonyx::optimize
