#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;

TEST(Constant, EveryKindOfValue) {
  EXPECT_THAT(doubles(OpCase("Constant", 1).attribute("value", model::encode(floats({2}, {1, 2}))).run({})), ElementsAre(1, 2));
  EXPECT_EQ(OpCase("Constant").attribute("value_float", 1.5f).run({}).item<float>(), 1.5f);
  EXPECT_EQ(OpCase("Constant").attribute("value_int", 7).run({}).item<int64_t>(), 7);
  EXPECT_EQ(OpCase("Constant").attribute("value_string", "text").run({}).item<std::string>(), "text");
  EXPECT_THAT(OpCase("Constant").attribute("value_floats", std::vector<float>{1, 2}).run({}).values<float>(), ElementsAre(1, 2));
  EXPECT_THAT(OpCase("Constant").ints("value_ints", {3, 4}).run({}).values<int64_t>(), ElementsAre(3, 4));
  EXPECT_THAT(OpCase("Constant").attribute("value_strings", std::vector<std::string>{"a", "b"}).run({}).strings(), ElementsAre("a", "b"));
  EXPECT_EQ(OpCase("Constant").error({}).first, ErrorCode::kInvalidModel);
}

TEST(Constant, SparseValuesAreMadeDense) {
  model::Attribute attribute;
  attribute.name = "sparse_value";
  attribute.type = model::Attribute::Type::kSparseTensor;
  model::Node node;
  node.op_type = "Constant";
  node.output = {"y"};
  node.attribute = {attribute};
  EXPECT_THROW(evaluate(node, 22, {}), Error);
  model::SparseTensorData sparse;
  sparse.values = model::encode(floats({1}, {5}), "v");
  sparse.indices = model::encode(int64s({2}));
  sparse.has_values = sparse.has_indices = true;
  sparse.dims = {3};
  node.attribute[0].sparse_tensor = std::make_unique<model::SparseTensorData>(sparse);
  EXPECT_THAT(evaluate(node, 22, {})[0].values<float>(), ElementsAre(0, 0, 5));
}

TEST(ConstantOfShape, FillsAnyType) {
  expect_close(OpCase("ConstantOfShape").run({int64s({2, 2})}), {2, 2}, {0, 0, 0, 0});
  const auto filled = [](const Tensor& value, std::initializer_list<int64_t> shape) {
    return OpCase("ConstantOfShape").attribute("value", model::encode(value)).run({int64s(shape)});
  };
  EXPECT_THAT(filled(Tensor::of<int8_t>({1}, {3}), {2}).values<int8_t>(), ElementsAre(3, 3));
  EXPECT_EQ(filled(floats({1}, {2}), {}).item<float>(), 2);
  EXPECT_EQ(filled(floats({1}, {2}), {0, 3}).shape(), (Shape{0, 3}));
  EXPECT_EQ(OpCase("ConstantOfShape").error({int64s({-1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("ConstantOfShape").error({int64s({int64_t{1} << 30, int64_t{1} << 30})}).first, ErrorCode::kResourceLimit);
  EXPECT_EQ(OpCase("ConstantOfShape").error({int64s({std::numeric_limits<int64_t>::max(), 8})}).first, ErrorCode::kResourceLimit);
}

TEST(Range, CountsUpAndDown) {
  const auto range = [](auto start, auto limit, auto delta) {
    return OpCase("Range").run({Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)});
  };
  EXPECT_THAT(range(int64_t{3}, int64_t{9}, int64_t{3}).values<int64_t>(), ElementsAre(3, 6));
  EXPECT_THAT(range(int32_t{10}, int32_t{4}, int32_t{-2}).values<int32_t>(), ElementsAre(10, 8, 6));
  EXPECT_THAT(range(1.0f, 2.0f, 0.25f).values<float>(), ElementsAre(1, 1.25f, 1.5f, 1.75f));
  EXPECT_EQ(range(int64_t{3}, int64_t{3}, int64_t{1}).numel(), 0);
  const int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(range(least, most, most).values<int64_t>(), ElementsAre(least, -1, most - 1));
}

TEST(Range, RefusesWhatMakesNoRange) {
  const auto code = [](auto start, auto limit, auto delta) {
    return OpCase("Range").error({Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)}).first;
  };
  EXPECT_EQ(code(int64_t{0}, int64_t{1}, int64_t{0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(0.0f, 1.0f, 0.0f), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(0.0f, std::numeric_limits<float>::infinity(), 1.0f), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(0.0f, 1.0f, 1e-30f), ErrorCode::kResourceLimit);
  EXPECT_EQ(code(int64_t{0}, std::numeric_limits<int64_t>::max(), int64_t{1}), ErrorCode::kResourceLimit);
  EXPECT_EQ(OpCase("Range").error({int64s({1, 2}), int64s({1}), int64s({1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Range").error({int64s({1}), floats({}, {1}), int64s({1})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
