#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

constexpr DType kFloatTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16};

// (batch 1, classes 2, places 3)
Tensor scores() { return floats({1, 2, 3}, {-1, -2, -3, -4, -5, -6}); }

struct LossCase {
  const char* reduction;
  Shape shape;
  std::vector<double> plain, weighted;  // labels 0, 1, 0; weights 1, 3
};

TEST(NegativeLogLikelihoodLoss, EveryReduction) {
  const LossCase cases[] = {{"none", {1, 3}, {1, 5, 3}, {1, 15, 3}}, {"sum", {}, {9}, {19}}, {"mean", {}, {3}, {19.0 / 5}}};
  const Tensor labels = int64s({0, 1, 0}).reshape({1, 3}), weights = floats({2}, {1, 3});
  for (const DType dtype : kFloatTypes) {
    for (const LossCase& one : cases) {
      OpCase node("NegativeLogLikelihoodLoss");
      node.attribute("reduction", one.reduction);
      expect_close(node.run({scores().to(dtype), labels}), one.shape, one.plain, 1e-2);
      expect_close(node.run({scores().to(dtype), labels, weights.to(dtype)}), one.shape, one.weighted, 1e-2);
    }
  }
}

TEST(NegativeLogLikelihoodLoss, IgnoredLabels) {
  const Tensor labels = Tensor::of<int32_t>({1, 3}, {0, -7, 0});
  OpCase node("NegativeLogLikelihoodLoss");
  expect_close(node.attribute("ignore_index", -7).run({scores(), labels}), {}, {2});
  const auto [code, text] = OpCase("NegativeLogLikelihoodLoss").error({scores(), labels});
  EXPECT_EQ(code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(text, HasSubstr("label -7 of place 1"));
  EXPECT_THAT(text, HasSubstr("ignore_index"));
}

TEST(SoftmaxCrossEntropyLoss, AgreesWithTheDefinition) {
  std::mt19937 generator(8);
  const Tensor x = random_tensor(generator, {3, 4, 5}, -3, 3), labels = Tensor::full({3, 5}, 2, DType::kInt64);
  for (const DType dtype : kFloatTypes) {
    const Tensor typed = x.to(dtype);
    const std::vector<double> v = doubles(typed);
    std::vector<double> logs(v.size());
    double total = 0;
    for (size_t n = 0; n < 3; ++n) {
      for (size_t i = 0; i < 5; ++i) {
        double sum = 0;
        for (size_t c = 0; c < 4; ++c) sum += std::exp(v[(n * 4 + c) * 5 + i]);
        for (size_t c = 0; c < 4; ++c) logs[(n * 4 + c) * 5 + i] = v[(n * 4 + c) * 5 + i] - std::log(sum);
        total -= logs[(n * 4 + 2) * 5 + i];
      }
    }
    const double tolerance = dtype == DType::kBFloat16 ? 1e-2 : 1e-3;
    OpCase node("SoftmaxCrossEntropyLoss");
    const auto results = node.outputs({"loss", "log"}).run_all({typed, labels});
    expect_close(results[0], {}, {total / 15}, tolerance);
    expect_close(results[1], {3, 4, 5}, logs, tolerance);
    OpCase sum("SoftmaxCrossEntropyLoss");
    expect_close(sum.attribute("reduction", "sum").run({typed, labels}), {}, {total}, tolerance);
  }
}

TEST(SoftmaxCrossEntropyLoss, RefusesWhatDoesNotFit) {
  const Tensor labels = Tensor::zeros({1, 3}, DType::kInt64);
  EXPECT_EQ(OpCase("SoftmaxCrossEntropyLoss").error({scores(), int64s({0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("SoftmaxCrossEntropyLoss").error({scores(), labels, Tensor({3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("SoftmaxCrossEntropyLoss").error({Tensor({2}), int64s({0, 0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("SoftmaxCrossEntropyLoss").attribute("reduction", "odd").error({scores(), labels}).first, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace sardonyx::ops
