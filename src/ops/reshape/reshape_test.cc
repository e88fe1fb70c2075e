#include "ops/reshape/reshape.h"

#include <gmock/gmock.h>

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

TEST(Dropout, RefusesTraining) {
  const Tensor x = counting({2});
  const auto [code, text] = OpCase("Dropout").error({x, floats({}, {0.5f}), Tensor::scalar(true)});
  EXPECT_EQ(code, ErrorCode::kUnsupported);
  EXPECT_THAT(text, HasSubstr("model.eval()"));
  EXPECT_EQ(OpCase("Dropout", 6).error({x}).first, ErrorCode::kUnsupported);
  expect_same_elements(OpCase("Dropout").run({x, floats({}, {0}), Tensor::scalar(true)}), x, {2});  // nothing to drop
}

}  // namespace
}  // namespace sardonyx::ops
