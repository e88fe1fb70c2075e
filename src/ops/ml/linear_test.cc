#include <gmock/gmock.h>

#include "ops/ml/pairwise.h"
#include "ops/ml/post_transform.h"
#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Floats = std::vector<float>;

OpCase classifier(Floats coefficients, Floats intercepts) {
  return OpCase("LinearClassifier", 1, "ai.onnx.ml")
      .attribute("coefficients", std::move(coefficients))
      .attribute("intercepts", std::move(intercepts))
      .outputs({"y", "z"});
}

TEST(MlLinear, ClassifiesByTheGreatestScore) {
  OpCase node = classifier({1, 0, 0, 1, -1, -1}, {0, 0, 0.5f}).attribute("classlabels_strings", std::vector<std::string>{"x", "y", "none"});
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kInt32}) {
    const std::vector<Tensor> results = node.run_all({floats({3, 2}, {2, 1, 1, 3, -1, -1}).to(dtype)});
    EXPECT_THAT(results[0].strings(), ElementsAre("x", "y", "none"));
    expect_close(results[1], {3, 3}, {2, 1, -2.5, 1, 3, -3.5, -1, -1, 2.5});
  }
}

TEST(MlLinear, OneScoreForTwoClasses) {
  OpCase plain = classifier({1}, {0}).ints("classlabels_ints", {7, 9});
  const std::vector<Tensor> results = plain.run_all({floats({3, 1}, {-1, 0, 0.25f})});
  EXPECT_THAT(results[0].values<int64_t>(), ElementsAre(7, 7, 9));
  expect_close(results[1], {3, 2}, {2, -1, 1, 0, 0.75, 0.25});
  plain.attribute("post_transform", "LOGISTIC");
  const double p = 1 / (1 + std::exp(-0.25));
  expect_close(plain.run_all({floats({1, 1}, {0.25f})})[1], {1, 2}, {1 - p, p});
}

TEST(MlLinear, OutputsMayBeLeftOut) {
  OpCase node = classifier({1, -1}, {0, 0}).ints("classlabels_ints", {7, 9});
  EXPECT_THAT(node.outputs({"", "z"}).run_all({floats({1}, {2})})[1].values<float>(), ElementsAre(2, -2));
  EXPECT_THAT(node.outputs({"y"}).run_all({floats({1}, {2})})[0].values<int64_t>(), ElementsAre(7));
}

TEST(MlLinear, Refuses) {
  EXPECT_THAT(classifier({1, 2, 3}, {0, 0}).ints("classlabels_ints", {1, 2}).error({Tensor({1, 1})}).second, HasSubstr("coefficients"));
  EXPECT_THAT(classifier({1, 2}, {0, 0}).ints("classlabels_ints", {1, 2, 3}).error({Tensor({1, 1})}).second, HasSubstr("intercepts"));
  EXPECT_THAT(classifier({1, 2}, {0, 0}).error({Tensor({1, 1})}).second, HasSubstr("classlabels_ints"));
  EXPECT_THAT(classifier({1, 2}, {0, 0}).ints("classlabels_ints", {1, 2}).error({Tensor({1, 3})}).second, HasSubstr("3 features"));
  EXPECT_THAT(OpCase("LinearRegressor", 1, "ai.onnx.ml").error({Tensor({1, 1})}).second, HasSubstr("coefficients"));
  EXPECT_THAT(OpCase("LinearRegressor", 1, "ai.onnx.ml").attribute("targets", -1).error({Tensor({1, 1})}).second, HasSubstr("targets"));
}

TEST(MlLinear, Regresses) {
  std::mt19937 generator(3);
  const int64_t rows = 67, features = 31, targets = 3;
  const Tensor x = random_tensor(generator, {rows, features}), w = random_tensor(generator, {targets, features});
  std::vector<double> expected;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t t = 0; t < targets; ++t) {
      double sum = static_cast<double>(t);
      for (int64_t k = 0; k < features; ++k) {
        sum += static_cast<double>(x.values<float>()[static_cast<size_t>(i * features + k)]) *
               static_cast<double>(w.values<float>()[static_cast<size_t>(t * features + k)]);
      }
      expected.push_back(sum);
    }
  }
  OpCase node = OpCase("LinearRegressor", 1, "ai.onnx.ml")
                    .attribute("coefficients", Floats(w.values<float>().begin(), w.values<float>().end()))
                    .attribute("intercepts", Floats{0, 1, 2})
                    .attribute("targets", 3);
  expect_close(node.run({x}), {rows, targets}, expected);
  expect_close(node.run({x.to(DType::kFloat64)}), {rows, targets}, expected, 1e-6);
}

TEST(MlScores, Transforms) {
  const auto transformed = [](PostTransform transform, std::vector<double> scores) {
    transform_scores(transform, scores);
    return scores;
  };
  const std::vector<double> soft = transformed(PostTransform::kSoftmax, {1, 2, 4});
  EXPECT_NEAR(soft[2] / soft[1], std::exp(2.0), 1e-12);
  EXPECT_NEAR(soft[0] + soft[1] + soft[2], 1, 1e-12);
  const std::vector<double> zero = transformed(PostTransform::kSoftmaxZero, {0, 1, 2});
  EXPECT_EQ(zero[0], 0);
  EXPECT_NEAR(zero[1] + zero[2], 1, 1e-12);
  EXPECT_THAT(transformed(PostTransform::kLogistic, {-800, 0, 800}), ElementsAre(0, 0.5, 1));
  EXPECT_THAT(transformed(PostTransform::kSoftmax, {3}), ElementsAre(3));
  // The quantile of the normal distribution, which the formula keeps within its error.
  for (const double p : {0.001, 0.2, 0.5, 0.9, 0.999}) {
    const double z = transformed(PostTransform::kProbit, {p})[0];
    EXPECT_NEAR(std::erfc(-z / std::sqrt(2.0)) / 2, p, 0.0005) << p;
  }
  const std::vector<double> ends = transformed(PostTransform::kProbit, {0, 1, 2});
  EXPECT_EQ(ends[0], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ends[1], std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(ends[2]));
}

// The result solves what the method minimises: the sum over pairs of (r_ji p_i - r_ij p_j)^2 has no better neighbour.
TEST(MlScores, CouplingMinimises) {
  const std::vector<double> pairs = {0.7, 0.4, 0.9, 0.3, 0.8, 0.6};
  std::vector<double> p(4);
  PairCoupling(4).solve(pairs, p);
  const auto cost = [&](const std::vector<double>& q) {
    double sum = 0;
    for (size_t i = 0, pair = 0; i < 4; ++i) {
      for (size_t j = i + 1; j < 4; ++j, ++pair) sum += std::pow((1 - pairs[pair]) * q[i] - pairs[pair] * q[j], 2);
    }
    return sum;
  };
  EXPECT_NEAR(p[0] + p[1] + p[2] + p[3], 1, 1e-9);
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j) {
      std::vector<double> other = p;
      other[i] += 0.01;
      other[j] -= 0.01;
      EXPECT_LE(cost(p), cost(other) + 1e-12);
    }
  }
  const double platt = platt_probability(0.5, -2, 0.25);
  EXPECT_NEAR(platt, 1 / (1 + std::exp(-2 * 0.5 + 0.25)), 1e-15);
  EXPECT_EQ(platt_probability(1000, 1000, 0), 1e-7);
}

}  // namespace
}  // namespace sardonyx::ops
