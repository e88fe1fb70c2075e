#include "sardonyx/optimize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sardonyx/text.h"

namespace sardonyx {
namespace {

model::Model network() {
  return model::parse_text_model(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[1,1,3,3] x) => (float[1,1,3,3] y) <float[1,1,1,1] w = {2}, float[1] b = {-3}> { c = Conv (x, w, b)  y = HardSwish (c) })");
}

Feeds feeds() { return {{"x", Tensor::of<float>({1, 1, 3, 3}, {-1, 0, 1, 2, 3, 4, 5, 6, 7})}}; }

TEST(OptimizeModel, FunctionsStandForOurOwnOperators) {
  const OptimizedModel result = optimize_model(network());
  ASSERT_EQ(result.model.graph.node.size(), 1u);
  EXPECT_EQ(result.model.graph.node[0].domain, "ai.sardonyx");
  ASSERT_EQ(result.model.functions.size(), 1u);
  EXPECT_EQ(result.model.functions[0].overload, result.model.graph.node[0].overload);
  EXPECT_FALSE(result.passes.empty());
}

TEST(OptimizeModel, SessionsSaveWhatTheyRunAndTakeKernelsWhenTheyLoadIt) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "sardonyx_optimize_test.onnx";
  SessionOptions options;
  options.optimized_model_path = path;
  const InferenceSession first(network(), options), second(path);
  std::filesystem::remove(path);
  const PlanReport plan = second.explain({});
  ASSERT_EQ(plan.steps.size(), 1u);
  EXPECT_EQ(plan.steps[0].op, "ai.sardonyx.FusedConv");
  const Tensor a = first.run(feeds()).at(0), b = second.run(feeds()).at(0);
  EXPECT_THAT(a.values<float>(), testing::ElementsAreArray(b.values<float>()));
}

TEST(OptimizeModel, UnknownPasses) { EXPECT_THROW(optimize_model(network(), GraphOptimizationLevel::kAll, {"fuse"}), Error); }

}  // namespace
}  // namespace sardonyx
