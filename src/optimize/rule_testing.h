// What the tests of rules share: optimise a model and compare its outputs before and after.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "optimize/model_builder.h"
#include "optimize/optimize.h"

namespace sardonyx::optimize {

inline std::vector<std::string> operators(const model::Model& model) {
  std::vector<std::string> names;
  for (const model::Node& node : model.graph.node) names.push_back(node.op_type);
  return names;
}

inline size_t rewrites(const std::vector<PassReport>& reports, std::string_view pass) {
  const auto found = std::ranges::find(reports, pass, &PassReport::name);
  EXPECT_NE(found, reports.end()) << pass;
  return found == reports.end() ? 0 : found->rewrites;
}

inline void expect_equal(const Tensor& expected, const Tensor& actual, float tolerance) {
  ASSERT_EQ(expected.dtype(), actual.dtype());
  ASSERT_EQ(expected.shape(), actual.shape());
  ASSERT_EQ(expected.dtype(), DType::kFloat32);
  for (size_t i = 0; i < expected.values<float>().size(); ++i) {
    const float wanted = expected.values<float>()[i], got = actual.values<float>()[i];
    if (wanted == got) continue;  // infinities have no difference
    EXPECT_NEAR(wanted, got, tolerance) << "element " << i;
  }
}

// The optimised model, after its outputs have been compared with those of the given one.
inline model::Model optimized(const model::Model& before, const Feeds& feeds, GraphOptimizationLevel level = GraphOptimizationLevel::kAll,
                              float tolerance = 0) {
  model::Model after = before;
  optimize(after, level);
  EXPECT_EQ(before.graph.output, after.graph.output);
  EXPECT_EQ(before.graph.input, after.graph.input);
  const std::vector<Tensor> expected = reference_outputs(before, feeds), actual = reference_outputs(after, feeds);
  for (size_t i = 0; i < expected.size(); ++i) expect_equal(expected[i], actual.at(i), tolerance);
  return after;
}

// A convolution of 'x' to 'c'; the graph output 'y' is still to be made.
inline ModelBuilder conv_block() {
  ModelBuilder builder;
  builder.input("x", {1, 3, 5, 5}).output("y").constant("w", random_tensor({4, 3, 3, 3}, 2)).constant("b", random_tensor({4}, 3));
  builder.node("Conv", {"x", "w", "b"}, {"c"}, {model::Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1})});
  return builder;
}

}  // namespace sardonyx::optimize
