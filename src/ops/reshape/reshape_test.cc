#include "ops/reshape/reshape.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

Tensor counting(Shape shape) {
  Tensor result = Tensor::empty(std::move(shape));
  float next = 0;
  for (float& value : result.mutable_values<float>()) value = next++;
  return result;
}

void expect_same_elements(const Tensor& y, const Tensor& x, const Shape& shape) {
  EXPECT_EQ(y.shape(), shape);
  EXPECT_EQ(doubles(y), doubles(x));
}

TEST(Reshape, EveryForm) {
  const Tensor x = counting({2, 3, 4});
  const auto reshape = [&](std::initializer_list<int64_t> shape) { return OpCase("Reshape").run({x, int64s(shape)}); };
  expect_same_elements(reshape({4, 6}), x, {4, 6});
  expect_same_elements(reshape({-1}), x, {24});
  expect_same_elements(reshape({0, -1, 2}), x, {2, 6, 2});
  expect_same_elements(OpCase("Reshape", 1).ints("shape", {3, -1}).run({x}), x, {3, 8});
  expect_same_elements(OpCase("Reshape").run_with_constants({x, int64s({24})}, 0b10), x, {24});
  expect_same_elements(OpCase("Reshape").run({counting({1}), int64s({})}), counting({1}), {});
  EXPECT_EQ(OpCase("Reshape").attribute("allowzero", 1).run({Tensor({0, 3}), int64s({3, 0})}).shape(), (Shape{3, 0}));
  EXPECT_EQ(OpCase("Reshape").run({Tensor({0, 3}), int64s({0, -1})}).shape(), (Shape{0, 0}));
}

TEST(Reshape, RefusesWhatDoesNotFit) {
  const Tensor x = counting({2, 3});
  const auto code = [&](std::initializer_list<int64_t> shape) { return OpCase("Reshape").error({x, int64s(shape)}).first; };
  EXPECT_EQ(code({4}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({-1, -1}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({-2, 3}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({4, -1}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({6, 1, 0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({int64_t{1} << 62, int64_t{1} << 62}), ErrorCode::kResourceLimit);
  EXPECT_EQ(OpCase("Reshape").error({x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Reshape").error({x, floats({1}, {6})}).first, ErrorCode::kInvalidArgument);
  EXPECT_THAT(OpCase("Reshape").error({x, int64s({4})}).second, HasSubstr("[2, 3] cannot have the shape [4]"));
}

TEST(Reshape, IsADynamicStepUntilTheShapeIsKnown) {
  model::Node node;
  node.op_type = "Reshape";
  node.input = {"x", "shape"};
  node.output = {"y"};
  const std::vector<const Tensor*> none(2);
  const auto prepared = prepare({node, 22, none});
  const Tensor shape = int64s({6});
  std::vector<ValueFacts> facts = {{DType::kFloat16, {2, 3}, nullptr}, {DType::kInt64, {1}, nullptr}};
  const auto dynamic = prepared->bind({facts, 1});
  EXPECT_TRUE(dynamic->dynamic);
  EXPECT_EQ(dynamic->outputs.at(0).dtype, DType::kFloat16);
  facts[1].constant = &shape;
  const auto fixed = prepared->bind({facts, 1});
  EXPECT_FALSE(fixed->dynamic);
  EXPECT_EQ(fixed->alias_input, 0);
  EXPECT_EQ(fixed->outputs.at(0).shape, (Shape{6}));
}

TEST(Flatten, EveryAxis) {
  const Tensor x = counting({2, 3, 4});
  expect_same_elements(OpCase("Flatten").run({x}), x, {2, 12});
  expect_same_elements(OpCase("Flatten").attribute("axis", 0).run({x}), x, {1, 24});
  expect_same_elements(OpCase("Flatten").attribute("axis", 3).run({x}), x, {24, 1});
  expect_same_elements(OpCase("Flatten").attribute("axis", -1).run({x}), x, {6, 4});
  EXPECT_EQ(OpCase("Flatten").attribute("axis", 4).error({x}).first, ErrorCode::kInvalidArgument);
}

TEST(Squeeze, AxesAsAttributeOrInput) {
  const Tensor x = counting({1, 3, 1, 2});
  expect_same_elements(OpCase("Squeeze").run({x}), x, {3, 2});
  expect_same_elements(OpCase("Squeeze").run({x, int64s({-2})}), x, {1, 3, 2});
  expect_same_elements(OpCase("Squeeze", 11).ints("axes", {0}).run({x}), x, {3, 1, 2});
  EXPECT_EQ(OpCase("Squeeze").error({x, int64s({1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Squeeze").error({x, int64s({4})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Squeeze").error({x, int64s({0, -4})}).first, ErrorCode::kInvalidArgument);
}

TEST(Unsqueeze, AxesAsAttributeOrInput) {
  const Tensor x = counting({3, 2});
  expect_same_elements(OpCase("Unsqueeze").run({x, int64s({-1, 0})}), x, {1, 3, 2, 1});
  expect_same_elements(OpCase("Unsqueeze", 11).ints("axes", {1}).run({x}), x, {3, 1, 2});
  expect_same_elements(OpCase("Unsqueeze", 13).run({x, Tensor::scalar<int64_t>(1)}), x, {3, 1, 2});
  EXPECT_EQ(OpCase("Unsqueeze").error({x, int64s({4})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Unsqueeze").error({x, int64s({0, 0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Unsqueeze").error({x}).first, ErrorCode::kInvalidArgument);
}

TEST(Identity, AnyType) {
  const Tensor text = Tensor::of_strings({2}, {"a", "b"});
  EXPECT_EQ(OpCase("Identity").run({text}).strings()[1], "b");
  const Tensor x = counting({2, 2});
  expect_same_elements(OpCase("Identity").run({x}), x, {2, 2});
}

TEST(Dropout, KeepsEverythingAtInference) {
  const Tensor x = counting({2, 2});
  expect_same_elements(OpCase("Dropout").run({x, floats({}, {0.5f})}), x, {2, 2});
  expect_same_elements(OpCase("Dropout", 6).attribute("is_test", 1).run({x}), x, {2, 2});
  const std::vector<Tensor> both = OpCase("Dropout").outputs({"y", "mask"}).run_all({x, floats({}, {0.5f}), Tensor::scalar(false)});
  expect_same_elements(both.at(0), x, {2, 2});
  EXPECT_EQ(both.at(1).dtype(), DType::kBool);
  EXPECT_EQ(doubles(both.at(1)), (std::vector<double>{1, 1, 1, 1}));
  EXPECT_EQ(OpCase("Dropout", 7).outputs({"y", "mask"}).run_all({x}).at(1).dtype(), DType::kFloat32);
}

TEST(Dropout, ASeedGivesTheMaskOfTheReference) {
  // numpy.random.seed(0); numpy.random.uniform(0, 1, 5) is about 0.549, 0.715, 0.603, 0.545, 0.424.
  const Tensor x = floats({5}, {1, 2, 3, 4, 5}), training = Tensor::scalar(true);
  expect_close(OpCase("Dropout").attribute("seed", 0).run({x, floats({}, {0.5f}), training}), {5}, {2, 4, 6, 8, 0});
  expect_close(OpCase("Dropout").attribute("seed", 0).run({x, floats({}, {0.6f}), training}), {5}, {0, 5, 7.5, 0, 0});
}

TEST(Dropout, Float8) {
  const Tensor x = floats({5}, {1, 2, -3, 4, 6}), ratio = floats({}, {0.5f});
  const auto cast = [](const Tensor& from, DType to) { return OpCase("Cast").attribute("to", static_cast<int64_t>(to)).run({from}); };
  for (const DType dtype : {DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ}) {
    SCOPED_TRACE(to_string(dtype));
    const Tensor small = cast(x, dtype);
    const auto run = [&](bool training) {
      OpCase node("Dropout", 22);
      return node.attribute("seed", 0).outputs({"y", "mask"}).run_all({small, cast(ratio, dtype), Tensor::scalar(training)});
    };
    const std::vector<Tensor> kept = run(false), dropped = run(true);
    EXPECT_EQ(kept[0].dtype(), dtype);
    expect_close(cast(kept[0], DType::kFloat32), {5}, {1, 2, -3, 4, 6}, 0);
    EXPECT_EQ(doubles(kept[1]), (std::vector<double>(5, 1)));
    EXPECT_EQ(dropped[0].dtype(), dtype);
    expect_close(cast(dropped[0], DType::kFloat32), {5}, {2, 4, -6, 8, 0}, 0);
    EXPECT_EQ(doubles(dropped[1]), (std::vector<double>{1, 1, 1, 1, 0}));
    EXPECT_EQ(OpCase("Dropout", 13).error({small}).first, ErrorCode::kInvalidArgument);
    EXPECT_EQ(OpCase("Dropout", 22).error({small, cast(floats({}, {-1}), dtype), Tensor::scalar(true)}).first, ErrorCode::kInvalidArgument);
  }
}

TEST(Dropout, DropsInTraining) {
  const Tensor x = Tensor::ones({100, 101}), training = Tensor::scalar(true), ratio = floats({}, {0.25f});
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
    OpCase node("Dropout");
    const std::vector<Tensor> both = node.attribute("seed", 5).outputs({"y", "mask"}).run_all({x.to(dtype), ratio, training});
    const std::vector<double> y = doubles(both.at(0)), kept = doubles(both.at(1));
    double share = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      ASSERT_NEAR(y[i], kept[i] * 4 / 3, 5e-3);
      share += kept[i] / static_cast<double>(y.size());
    }
    EXPECT_NEAR(share, 0.75, 0.02);
  }
  const auto seeded = [&] {
    OpCase node("Dropout");
    return doubles(node.attribute("seed", 5).run({x, ratio, training}));
  };
  EXPECT_EQ(seeded(), seeded());
  EXPECT_NE(doubles(OpCase("Dropout").run({x, ratio, training})), doubles(OpCase("Dropout").run({x, ratio, training})));
  const std::vector<double> old = doubles(OpCase("Dropout", 6).run({x}));
  EXPECT_TRUE(std::ranges::all_of(old, [](double value) { return value == 0 || value == 2; }));
  expect_same_elements(OpCase("Dropout").run({x, floats({}, {0}), training}), x, {100, 101});
  EXPECT_EQ(OpCase("Dropout").error({x, floats({}, {1}), training}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Dropout", 6).attribute("ratio", -1.0f).error({x}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
