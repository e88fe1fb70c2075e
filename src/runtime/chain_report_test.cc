// What plans tell of chains, and of nodes that are none. Plans are made, not run, where values are large.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimize/model_builder.h"
#include "runtime/ops_backend.h"
#include "runtime/session.h"

namespace sardonyx::runtime {
namespace {

using optimize::ModelBuilder, optimize::random_tensor;
using testing::HasSubstr;

constexpr int64_t kChannels = 16, kHeight = 4000, kWidth = 1024;  // 262 MB: no cache holds half of it
const Shape kPicture = {1, kChannels, kHeight, kWidth};

const std::vector<model::Attribute>& same_size() {
  static const std::vector<model::Attribute> attributes = {model::Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1})};
  return attributes;
}

// A graph whose input x and weight w are constants of convolutions from 16 channels to 16.
ModelBuilder start(const Shape& x = kPicture) {
  ModelBuilder builder(19, 9);
  builder.input("x", {x.begin(), x.end()}).constant("w", random_tensor({kChannels, kChannels, 3, 3}, 1));
  return builder;
}

PlanReport plan_of(ModelBuilder builder, SessionOptions options = {.intra_op_num_threads = 1}) {
  Session session(builder.build(), ops_backend(), std::move(options));
  return session.explain({});
}

TEST(ChainReport, TellsWhatStaysInTheCache) {
  const PlanReport plan = plan_of(start({1, kChannels, 8, 8})
                                      .node("Conv", {"x", "w"}, {"a"}, same_size())
                                      .node("Conv", {"a", "w"}, {"b"}, same_size())
                                      .node("Conv", {"b", "w"}, {"y"}, same_size())
                                      .output("y"));
  EXPECT_TRUE(plan.tiles_chains);
  ASSERT_EQ(plan.chain_refusals.size(), 1u);
  const ChainRefusal& refusal = plan.chain_refusals[0];
  EXPECT_TRUE(refusal.fits_cache);
  EXPECT_EQ(refusal.first_step, 0u);
  EXPECT_EQ(refusal.last_step, 2u);
  EXPECT_EQ(refusal.value_bytes, size_t{kChannels} * 8 * 8 * 4);
  EXPECT_THAT(refusal.reason, HasSubstr("stay in the cache: the largest has 0.0041 MB"));
  EXPECT_EQ(refusal.end, "");
}

TEST(ChainReport, TellsWhichNodeHasNoRows) {
  const PlanReport plan = plan_of(start()
                                      .constant("s", random_tensor({kChannels}, 2))
                                      .node("Conv", {"x", "w"}, {"a"}, same_size())
                                      .node("InstanceNormalization", {"a", "s", "s"}, {"n"})
                                      .node("InstanceNormalization", {"n", "s", "s"}, {"m"})
                                      .node("Conv", {"m", "w"}, {"b"}, same_size())
                                      .node("Conv", {"b", "w"}, {"c"}, same_size())
                                      .node("InstanceNormalization", {"c", "s", "s"}, {"y"})
                                      .output("y"));
  ASSERT_EQ(plan.steps.size(), 5u);
  ASSERT_TRUE(plan.steps[3].chain);
  EXPECT_THAT(plan.steps[3].chain->end, HasSubstr("node 'node_y' (InstanceNormalization, opset 19): its kernel"));
  ASSERT_EQ(plan.chain_refusals.size(), 2u);
  EXPECT_EQ(plan.chain_refusals[0].first_step, 0u);
  EXPECT_EQ(plan.chain_refusals[0].last_step, 0u);
  EXPECT_EQ(plan.chain_refusals[0].value_bytes, size_t{kChannels} * kHeight * kWidth * 4);
  EXPECT_THAT(plan.chain_refusals[0].end,
              HasSubstr("'node_n' (InstanceNormalization, opset 19): its kernel instance_normalization does not"));
  EXPECT_EQ(plan.chain_refusals[1].first_step, 2u);  // the first one is told by what stopped the convolution
  EXPECT_THAT(plan.chain_refusals[1].reason, HasSubstr("'node_m'"));
}

TEST(ChainReport, TellsOfWeightsThatAreNotConstant) {
  const PlanReport plan = plan_of(
      start().input("v", {kChannels, kChannels, 3, 3}).node("Relu", {"x"}, {"a"}).node("Conv", {"a", "v"}, {"y"}, same_size()).output("y"));
  ASSERT_EQ(plan.chain_refusals.size(), 1u);
  EXPECT_THAT(plan.chain_refusals[0].end, HasSubstr("its weights are no constant of floats"));
}

TEST(ChainReport, TellsOfValuesThatAreReadElsewhere) {
  const PlanReport plan = plan_of(start()
                                      .node("Relu", {"x"}, {"a"})
                                      .node("Sigmoid", {"a"}, {"b"})
                                      .node("Conv", {"b", "w"}, {"y"}, same_size())
                                      .output("a")
                                      .output("b")
                                      .output("y"));
  ASSERT_EQ(plan.chain_refusals.size(), 1u);
  EXPECT_EQ(plan.chain_refusals[0].last_step, 2u);
  EXPECT_THAT(plan.chain_refusals[0].reason, HasSubstr("read from outside"));
}

TEST(ChainReport, TellsOfRowsThatAreTooWideOrTooFew) {
  const auto pair = [](const Shape& x) {
    return plan_of(
        ModelBuilder(19, 9).input("x", {x.begin(), x.end()}).node("Relu", {"x"}, {"a"}).node("Sigmoid", {"a"}, {"y"}).output("y"));
  };
  const PlanReport wide = pair({1, 1, 2, int64_t{1} << 30});
  ASSERT_EQ(wide.chain_refusals.size(), 1u);
  EXPECT_THAT(wide.chain_refusals[0].reason, HasSubstr("bands of 1 row, the lowest, take 4.29e+03 MB"));
  const PlanReport flat = pair({1, 1, 1, int64_t{1} << 30});
  ASSERT_EQ(flat.chain_refusals.size(), 1u);
  EXPECT_THAT(flat.chain_refusals[0].reason, HasSubstr("too few rows"));
}

TEST(ChainReport, IsEmptyWhereChainsAreSwitchedOff) {
  const PlanReport plan = plan_of(start().node("Relu", {"x"}, {"a"}).node("Sigmoid", {"a"}, {"y"}).output("y"),
                                  {.intra_op_num_threads = 1, .disabled_passes = {"tile_chains"}});
  EXPECT_FALSE(plan.tiles_chains);
  EXPECT_THAT(plan.chain_refusals, testing::IsEmpty());
}

TEST(ChainReport, TellsTheTimesOfTheNodesInAChain) {
  const Shape picture = {1, kChannels, 64, 64};
  Session session(start(picture)
                      .node("Conv", {"x", "w"}, {"a"}, same_size())
                      .node("Conv", {"a", "w"}, {"b"}, same_size())
                      .node("Relu", {"b"}, {"y"})
                      .output("y")
                      .build(),
                  ops_backend(), {.intra_op_num_threads = 1, .graph_optimization_level = GraphOptimizationLevel::kNone});
  session.set_chain_policy({.enabled = true, .tile_rows = 8});
  const PlanReport plan = session.profile({{"x", random_tensor(picture)}});
  ASSERT_EQ(plan.steps.size(), 1u);
  const StepReport& chain = plan.steps[0];
  ASSERT_EQ(chain.nodes.size(), 3u);
  double sum = 0;
  for (const StepReport& node : chain.nodes) {
    EXPECT_GT(node.seconds, 0) << node.node;
    EXPECT_EQ(node.layout, "plain");
    sum += node.seconds;
  }
  EXPECT_LE(sum, chain.seconds);
  EXPECT_GT(chain.nodes[1].seconds, chain.nodes[2].seconds);
  EXPECT_EQ(chain.nodes[0].bytes, size_t{4} * (2 * kChannels * 64 * 64 + kChannels * kChannels * 9));
}

TEST(PlanReport, CountsOfATableWhatIsTaken) {
  const PlanReport plan = plan_of(ModelBuilder(19, 9)
                                      .input("i", {5}, DType::kInt64)
                                      .constant("table", random_tensor({1000, 8}))
                                      .node("Gather", {"table", "i"}, {"y"})
                                      .output("y"));
  ASSERT_EQ(plan.steps.size(), 1u);
  EXPECT_EQ(plan.steps[0].bytes, size_t{5} * 8 * 4 * 2 + 5 * 8);
}

}  // namespace
}  // namespace sardonyx::runtime
