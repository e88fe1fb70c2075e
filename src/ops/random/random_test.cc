#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

struct Moments {
  double mean = 0, variance = 0;
};
Moments moments(const Tensor& tensor) {
  const std::vector<double> values = doubles(tensor);
  Moments result;
  for (const double value : values) result.mean += value / static_cast<double>(values.size());
  for (const double value : values) result.variance += (value - result.mean) * (value - result.mean) / static_cast<double>(values.size());
  return result;
}

OpCase seeded(const char* op_type) {
  OpCase node(op_type);
  node.attribute("seed", 3.0f);
  return node;
}

TEST(Random, UniformAndNormalOfEveryType) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
    const auto number = static_cast<int64_t>(dtype);
    const Tensor uniform = seeded("RandomUniform")
                               .ints("shape", {100, 101})
                               .attribute("low", -1.0f)
                               .attribute("high", 3.0f)
                               .attribute("dtype", number)
                               .run({});
    EXPECT_EQ(uniform.dtype(), dtype);
    EXPECT_EQ(uniform.shape(), (Shape{100, 101}));
    const std::vector<double> values = doubles(uniform);
    EXPECT_GE(*std::min_element(values.begin(), values.end()), -1);
    EXPECT_LE(*std::max_element(values.begin(), values.end()), 3);
    EXPECT_NEAR(moments(uniform).mean, 1, 0.06);
    EXPECT_NEAR(moments(uniform).variance, 16.0 / 12, 0.06);
    const Tensor normal = seeded("RandomNormalLike").attribute("mean", 5.0f).attribute("scale", 2.0f).run({uniform});
    EXPECT_EQ(normal.dtype(), dtype);
    EXPECT_NEAR(moments(normal).mean, 5, 0.1);
    EXPECT_NEAR(moments(normal).variance, 4, 0.25);
  }
}

TEST(Random, SeedsRepeatAndTheirAbsenceDoesNot) {
  const auto draw = [](OpCase node) { return doubles(node.ints("shape", {20}).run({})); };
  EXPECT_EQ(draw(seeded("RandomNormal")), draw(seeded("RandomNormal")));
  EXPECT_NE(draw(seeded("RandomNormal")), draw(OpCase("RandomNormal").attribute("seed", 4.0f)));
  EXPECT_NE(draw(OpCase("RandomNormal")), draw(OpCase("RandomNormal")));
}

TEST(Random, BernoulliAndMultinomialFollowTheirChances) {
  const Tensor chances = Tensor::full({20000}, 0.25);
  for (const DType dtype : {DType::kFloat32, DType::kBool, DType::kInt8, DType::kFloat64}) {
    const Tensor draws = seeded("Bernoulli").attribute("dtype", static_cast<int64_t>(dtype)).run({chances});
    EXPECT_EQ(draws.dtype(), dtype);
    EXPECT_NEAR(moments(draws).mean, 0.25, 0.02);
  }
  EXPECT_EQ(doubles(seeded("Bernoulli").run({Tensor::ones({100}, DType::kFloat16)})), std::vector<double>(100, 1));
  const Tensor logs = floats({2, 3}, {std::log(0.2f), -1000, std::log(0.8f), 5, -1000, -1000});
  const Tensor drawn = seeded("Multinomial").attribute("sample_size", 20000).attribute("dtype", 7).run({logs});
  EXPECT_EQ(drawn.dtype(), DType::kInt64);
  EXPECT_EQ(drawn.shape(), (Shape{2, 20000}));
  std::vector<double> counts(6);
  for (size_t i = 0; i < 40000; ++i) counts[i / 20000 * 3 + static_cast<size_t>(drawn.values<int64_t>()[i])] += 1.0 / 20000;
  expect_close(Tensor::of<double>({6}, counts), {6}, {0.2, 0, 0.8, 1, 0, 0}, 0.02);
}

TEST(Random, RefusesWhatDoesNotFit) {
  EXPECT_EQ(OpCase("RandomNormal").error({}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("RandomNormal").ints("shape", {-1}).error({}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("RandomNormal").ints("shape", {int64_t{1} << 50}).error({}).first, ErrorCode::kResourceLimit);
  EXPECT_EQ(OpCase("RandomUniformLike").error({int64s({1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Multinomial").error({floats({1, 1}, {std::nanf("")})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Multinomial").error({Tensor({1, 0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Bernoulli").attribute("dtype", 8).error({floats({1}, {1})}).first, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace sardonyx::ops
