#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Floats = std::vector<float>;

Floats random_floats(std::mt19937& generator, int64_t count) {
  const Tensor values = random_tensor(generator, {count});
  return {values.values<float>().begin(), values.values<float>().end()};
}

// The kernels as their definitions have them.
double kernel_value(const std::string& kind, const float* a, const float* b, int64_t features) {
  double dot = 0, apart = 0;
  for (int64_t k = 0; k < features; ++k) {
    const double x = static_cast<double>(a[k]), y = static_cast<double>(b[k]);
    dot += x * y;
    apart += (x - y) * (x - y);
  }
  constexpr double kGamma = 0.25, kCoef0 = 0.5;
  if (kind == "POLY") return std::pow(kGamma * dot + kCoef0, 3);
  if (kind == "RBF") return std::exp(-kGamma * apart);
  return kind == "SIGMOID" ? std::tanh(kGamma * dot + kCoef0) : dot;
}

TEST(MlSvm, RegressesWithEachKernel) {
  std::mt19937 generator(5);
  constexpr int64_t kRows = 70, kVectors = 37, kFeatures = 19;
  const Tensor x = random_tensor(generator, {kRows, kFeatures});
  const Floats vectors = random_floats(generator, kVectors * kFeatures), factors = random_floats(generator, kVectors);
  for (const std::string kind : {"LINEAR", "POLY", "RBF", "SIGMOID"}) {
    std::vector<double> expected(kRows, 0.75);
    for (int64_t i = 0; i < kRows * kVectors; ++i) {
      const float* row = x.values<float>().data() + i / kVectors * kFeatures;
      const int64_t v = i % kVectors;
      expected[static_cast<size_t>(i / kVectors)] +=
          static_cast<double>(factors[static_cast<size_t>(v)]) * kernel_value(kind, row, vectors.data() + v * kFeatures, kFeatures);
    }
    OpCase node = OpCase("SVMRegressor", 1, "ai.onnx.ml")
                      .attribute("support_vectors", vectors)
                      .attribute("coefficients", factors)
                      .attribute("kernel_params", Floats{0.25f, 0.5f, 3})
                      .attribute("kernel_type", std::string_view(kind))
                      .attribute("n_supports", int64_t{kVectors})
                      .attribute("rho", Floats{0.75f});
    expect_close(node.run({x}), {kRows, 1}, expected, 1e-4);
    expect_close(node.run({x.to(DType::kFloat64)}), {kRows, 1}, expected, 1e-4);
  }
}

TEST(MlSvm, OneClassTellsTheSide) {
  OpCase node = OpCase("SVMRegressor", 1, "ai.onnx.ml").attribute("coefficients", Floats{2}).attribute("rho", Floats{-1});
  EXPECT_THAT(doubles(node.run({floats({3, 1}, {0, 0.5f, 1})})), ElementsAre(-1, 0, 1));
  EXPECT_THAT(doubles(node.attribute("one_class", 1).run({floats({3, 1}, {0, 0.5f, 1})})), ElementsAre(-1, -1, 1));
}

OpCase two_classes() {
  return OpCase("SVMClassifier", 1, "ai.onnx.ml")
      .attribute("support_vectors", Floats{1, -1})
      .ints("vectors_per_class", {1, 1})
      .attribute("coefficients", Floats{0.5f, -0.5f})
      .attribute("rho", Floats{0.25f})
      .ints("classlabels_ints", {10, 20})
      .outputs({"y", "z"});
}

TEST(MlSvm, ClassifiesTwoClasses) {
  const Tensor x = floats({2, 1}, {2, -2});
  const std::vector<Tensor> results = two_classes().run_all({x});
  EXPECT_THAT(results[0].values<int64_t>(), ElementsAre(10, 20));
  EXPECT_THAT(doubles(results[1]), ElementsAre(-2.25, 2.25, 1.75, -1.75));
  const std::vector<Tensor> likely = two_classes().attribute("prob_a", Floats{-1}).attribute("prob_b", Floats{0}).run_all({x});
  const double p = 1 / (1 + std::exp(-2.25)), q = 1 / (1 + std::exp(1.75));
  expect_close(likely[1], {2, 2}, {p, 1 - p, q, 1 - q}, 0.005);
}

// Class i wins over class j by the functions that are given, whatever the vectors.
TEST(MlSvm, VotesOfThreeClasses) {
  const auto node = [](Floats rho) {
    return OpCase("SVMClassifier", 1, "ai.onnx.ml")
        .attribute("support_vectors", Floats{1, 2, 3})
        .ints("vectors_per_class", {1, 1, 1})
        .attribute("coefficients", Floats(6, 0.0f))
        .attribute("rho", std::move(rho))
        .attribute("classlabels_strings", std::vector<std::string>{"a", "b", "c"})
        .outputs({"y", "z"});
  };
  const Tensor x = floats({1, 1}, {1});
  EXPECT_THAT(node({-1, -1, 1}).run_all({x})[0].strings(), ElementsAre("b"));
  EXPECT_THAT(node({1, -1, -1}).run_all({x})[0].strings(), ElementsAre("c"));
  EXPECT_THAT(node({1, -1, 1}).run_all({x})[0].strings(), ElementsAre("a"));  // one vote each
  EXPECT_THAT(doubles(node({1, -1, 1}).run_all({x})[1]), ElementsAre(1, -1, 1));
}

TEST(MlSvm, LinearScores) {
  OpCase node = OpCase("SVMClassifier", 1, "ai.onnx.ml")
                    .attribute("coefficients", Floats{1, -1, 0.5f})
                    .attribute("rho", Floats{0.25f})
                    .ints("classlabels_ints", {1, 2, 3})
                    .outputs({"y", "z"});
  const std::vector<Tensor> results = node.run_all({floats({2, 1}, {2, -2})});
  EXPECT_THAT(results[0].values<int64_t>(), ElementsAre(1, 2));
  EXPECT_THAT(doubles(results[1]), ElementsAre(2.25, -1.75, 1.25, -1.75, 2.25, -0.75));
  node.attribute("prob_a", Floats{1, 1, 1});
  EXPECT_EQ(node.error({Tensor({1, 1})}).first, ErrorCode::kUnsupported);
}

TEST(MlSvm, RefusesCountsThatDoNotMatch) {
  struct Change {
    const char* name;
    Floats values;
  };
  const Tensor x({1, 1});
  const auto changed = [&](const char* name, Floats values) {
    OpCase node =
        OpCase("SVMClassifier", 1, "ai.onnx.ml").ints("vectors_per_class", {1, 1}).ints("classlabels_ints", {10, 20}).outputs({"y"});
    for (Change list : {Change{"support_vectors", {1, -1}}, Change{"coefficients", {1, 1}}, Change{"rho", {0}}, Change{"prob_a", {1}},
                        Change{"prob_b", {1}}, Change{"kernel_params", {0, 0, 0}}}) {
      node.attribute(list.name, std::string_view(list.name) == name ? values : list.values);
    }
    return node.error({x});
  };
  for (const char* name : {"support_vectors", "coefficients", "rho", "prob_a", "prob_b", "kernel_params"}) {
    const auto [code, text] = changed(name, Floats(7, 1.0f));
    EXPECT_EQ(code, ErrorCode::kInvalidModel) << name;
    EXPECT_THAT(text, HasSubstr(std::string_view(name) == "prob_a" ? "prob_" : name));
  }
  for (const std::vector<int64_t>& counts : {std::vector<int64_t>{-1, 3}, {int64_t{1} << 62, int64_t{1} << 62}, {1, 1, 1}, {5}, {2, 2}}) {
    OpCase node = OpCase("SVMClassifier", 1, "ai.onnx.ml").ints("vectors_per_class", counts).ints("classlabels_ints", {1, 2});
    node.attribute("support_vectors", Floats{1, -1, 1}).attribute("coefficients", Floats{1, 1}).attribute("rho", Floats{0});
    EXPECT_EQ(node.error({x}).first, ErrorCode::kInvalidModel);
  }
  OpCase regressor = OpCase("SVMRegressor", 1, "ai.onnx.ml").attribute("n_supports", std::numeric_limits<int32_t>::max());
  EXPECT_THAT(regressor.error({x}).second, HasSubstr("support_vectors"));
}

}  // namespace
}  // namespace sardonyx::ops
