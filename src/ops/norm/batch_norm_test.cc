#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

TEST(BatchNormalization, AgreesWithTheDefinition) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (const Shape& shape : {Shape{2, 3, 5, 7}, Shape{4, 6}, Shape{1, 3, 1000}, Shape{2, 2, 2, 3, 4}, Shape{5}}) {
    const int64_t channels = shape.size() == 1 ? 1 : shape[1];
    const Tensor x = random_tensor(generator, shape), scale = random_tensor(generator, {channels}),
                 bias = random_tensor(generator, {channels});
    const Tensor mean = random_tensor(generator, {channels}), variance = random_tensor(generator, {channels}, 0.1f, 2);
    std::vector<double> expected = doubles(x);
    size_t inner = 1;
    for (size_t i = 2; i < shape.size(); ++i) inner *= static_cast<size_t>(shape[i]);
    for (size_t i = 0; i < expected.size(); ++i) {
      const size_t c = i / inner % static_cast<size_t>(channels);
      const double s = scale.values<float>()[c], b = bias.values<float>()[c], m = mean.values<float>()[c], v = variance.values<float>()[c];
      expected[i] = (expected[i] - m) / std::sqrt(v + 1e-3) * s + b;
    }
    for (const int64_t opset : {7, 9, 14, 15}) {
      expect_close(OpCase("BatchNormalization", opset).attribute("epsilon", 1e-3f).run({x, scale, bias, mean, variance}), shape, expected);
    }
    OpCase old("BatchNormalization", 1);
    expect_close(old.attribute("epsilon", 1e-3f).attribute("is_test", 1).run({x, scale, bias, mean, variance}), shape, expected);
  }
}

TEST(BatchNormalization, StatisticsOfEachElement) {
  const Tensor x = floats({1, 2, 2}, {1, 2, 3, 4}), ones = Tensor::ones({2, 2}), zeros({2, 2});
  const Tensor y =
      OpCase("BatchNormalization", 7).attribute("spatial", 0).attribute("epsilon", 0.0f).run({x, ones, x.reshape({2, 2}), zeros, ones});
  expect_close(y, {1, 2, 2}, {2, 4, 6, 8});
}

TEST(BatchNormalization, RefusesTrainingAndNamesTheCure) {
  const Tensor x({1, 2, 2}), c({2});
  const std::vector<Tensor> inputs = {x, c, c, c, c};
  const auto [code, text] = OpCase("BatchNormalization", 14).attribute("training_mode", 1).error(inputs);
  EXPECT_EQ(code, ErrorCode::kUnsupported);
  EXPECT_THAT(text, HasSubstr("model.eval()"));
  EXPECT_EQ(OpCase("BatchNormalization", 1).error(inputs).first, ErrorCode::kUnsupported);
  EXPECT_EQ(OpCase("BatchNormalization", 9).outputs({"y", "mean", "var"}).error(inputs).first, ErrorCode::kUnsupported);
}

TEST(BatchNormalization, RefusesWhatDoesNotFit) {
  const Tensor x({1, 2, 2}), c({2}), d({3});
  EXPECT_EQ(OpCase("BatchNormalization").error({x, c, c, c, d}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("BatchNormalization").error({x, c, c, c, Tensor()}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("BatchNormalization").error({Tensor::scalar(1.0f), c, c, c, c}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("BatchNormalization").error({x.to(DType::kInt32), c, c, c, c}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
