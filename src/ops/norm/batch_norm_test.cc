#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

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

TEST(BatchNormalization, TrainsOnTheBatch) {
  // Channel 0 holds 1, 3, 5, 7 (mean 4, variance 5), channel 1 tenfold.
  const Tensor x = floats({2, 2, 2}, {1, 3, 10, 30, 5, 7, 50, 70}), ones = Tensor::ones({2}), zeros({2}), mean = floats({2}, {1, 2}),
               variance = floats({2}, {3, 4});
  std::vector<double> expected;
  for (const double value : {1, 3, 1, 3, 5, 7, 5, 7}) expected.push_back((value - 4) / std::sqrt(5.0));
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
    const double tolerance = dtype == DType::kBFloat16 ? 1e-2 : 2e-3;
    OpCase present("BatchNormalization", 15), old("BatchNormalization", 9), oldest("BatchNormalization", 6);
    present.attribute("training_mode", 1).attribute("momentum", 0.5f).attribute("epsilon", 0.0f).outputs({"y", "mean", "var"});
    const std::vector<Tensor> all = present.run_all({x.to(dtype), ones.to(dtype), zeros.to(dtype), mean, variance});
    expect_close(all[0], {2, 2, 2}, expected, tolerance);
    EXPECT_EQ(all[1].dtype(), DType::kFloat32);
    expect_close(all[1], {2}, {2.5, 21});
    expect_close(all[2], {2}, {4, 252});
    old.attribute("epsilon", 0.0f).outputs({"y", "", "", "saved_mean", "saved_var"});
    const std::vector<Tensor> saved = old.run_all({x.to(dtype), ones, zeros, mean, variance});
    expect_close(saved[0], {2, 2, 2}, expected, tolerance);
    expect_close(saved[3], {2}, {4, 40});
    expect_close(saved[4], {2}, {5, 500});
    expect_close(oldest.attribute("epsilon", 0.0f).run({x.to(dtype), ones, zeros, mean, variance}), {2, 2, 2}, expected, tolerance);
  }
  OpCase flat("BatchNormalization", 15);
  flat.attribute("training_mode", 1).attribute("epsilon", 0.0f);
  expect_close(flat.run({floats({2, 2}, {1, 5, 3, 9}), ones, zeros, mean, variance}), {2, 2}, {-1, -1, 1, 1});
}

TEST(BatchNormalization, EmptyBatchesHaveNoStatistics) {
  const Tensor c = Tensor::ones({2});
  const double nan = std::nan("");
  OpCase node("BatchNormalization", 15);
  node.attribute("training_mode", 1).outputs({"y", "mean", "var"});
  expect_close(node.run_all({Tensor({int64_t{1} << 40, 2, 0}), c, c, c, c})[1], {2}, {nan, nan});
}

TEST(BatchNormalization, StatisticsNeedTraining) {
  const Tensor x({1, 2, 2}), c({2});
  EXPECT_EQ(OpCase("BatchNormalization", 14).outputs({"y", "mean", "var"}).error({x, c, c, c, c}).first, ErrorCode::kInvalidModel);
  OpCase many("BatchNormalization", 14);
  many.attribute("training_mode", 1).outputs({"y", "a", "b", "c"});
  EXPECT_EQ(many.error({x, c, c, c, c}).first, ErrorCode::kInvalidModel);
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
