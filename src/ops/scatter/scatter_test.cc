#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kInt64, DType::kUInt64, DType::kUInt16};

TEST(GatherElements, AlongEveryAxis) {
  const Tensor x = floats({2, 3}, {0, 1, 2, 3, 4, 5});
  for (const DType dtype : kTypes) {
    expect_close(OpCase("GatherElements").run({x.to(dtype), int64s({1, -2, 0, 0}).reshape({2, 2})}), {2, 2}, {3, 1, 0, 1});
    expect_close(OpCase("GatherElements").attribute("axis", -1).run({x.to(dtype), Tensor::of<int32_t>({2, 1}, {2, -3})}), {2, 1}, {2, 3});
  }
  const Tensor text = Tensor::of_strings({3}, {"a", "b", "c"});
  EXPECT_THAT(OpCase("GatherElements").run({text, int64s({2, 2})}).strings(), ElementsAre("c", "c"));
  EXPECT_THAT(OpCase("GatherElements").error({x, int64s({2, 0}).reshape({1, 2})}).second, HasSubstr("index 2 is outside axis 0 of size 2"));
  EXPECT_EQ(OpCase("GatherElements").error({x, int64s({0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("GatherElements").attribute("axis", 1).error({x, int64s({0, 0, 0}).reshape({3, 1})}).first, ErrorCode::kInvalidArgument);
}

TEST(GatherND, SlicesAndBatches) {
  const Tensor x = floats({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  expect_close(OpCase("GatherND").run({x, int64s({0, 1, 1, -2}).reshape({2, 2})}), {2, 2}, {2, 3, 4, 5});
  expect_close(OpCase("GatherND").run({x, int64s({1, 0, 1})}), {}, {5});
  expect_close(OpCase("GatherND").attribute("batch_dims", 1).run({x, int64s({1, 0}).reshape({2, 1})}), {2, 2}, {2, 3, 4, 5});
  EXPECT_EQ(OpCase("GatherND").run({x, Tensor::zeros({0, 1}, DType::kInt64)}).shape(), (Shape{0, 2, 2}));
  EXPECT_THAT(OpCase("GatherND").error({x, int64s({0, 2})}).second, HasSubstr("index 2 of tuple 0 is outside dimension 1 of size 2"));
  EXPECT_EQ(OpCase("GatherND").error({x, int64s({0, 0, 0, 0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("GatherND").attribute("batch_dims", 3).error({x, int64s({0})}).first, ErrorCode::kInvalidArgument);
}

struct ReductionCase {
  const char* reduction;
  std::vector<double> expected;
};

TEST(ScatterElements, EveryReductionOfEveryType) {
  const ReductionCase cases[] = {{"none", {1, 5, 3}}, {"add", {1, 11, 3}}, {"mul", {1, 40, 3}}, {"max", {1, 5, 3}}, {"min", {1, 2, 3}}};
  for (const DType dtype : kTypes) {
    const Tensor data = floats({1, 3}, {1, 2, 3}).to(dtype), updates = floats({1, 2}, {4, 5}).to(dtype);
    for (const ReductionCase& one : cases) {
      SCOPED_TRACE(one.reduction);
      OpCase node("ScatterElements");
      node.attribute("axis", 1).attribute("reduction", one.reduction);
      expect_close(node.run({data, int64s({1, -2}).reshape({1, 2}), updates}), {1, 3}, one.expected);
      OpCase tuples("ScatterND");
      tuples.attribute("reduction", one.reduction);
      expect_close(tuples.run({data.reshape({3}), int64s({1, -2}).reshape({2, 1}), updates.reshape({2})}), {3}, one.expected);
    }
  }
  const Tensor text = Tensor::of_strings({2}, {"a", "b"}), one = Tensor::of_strings({1}, {"c"});
  EXPECT_THAT(OpCase("ScatterElements").run({text, int64s({1}), one}).strings(), ElementsAre("a", "c"));
  EXPECT_THAT(OpCase("Scatter", 9).run({text, int64s({0}), one}).strings(), ElementsAre("c", "b"));
  EXPECT_EQ(OpCase("ScatterElements").attribute("reduction", "add").error({text, int64s({1}), one}).first, ErrorCode::kUnsupported);
}

TEST(ScatterElements, IntegersWrapAroundAndNanWins) {
  const Tensor small = Tensor::of<int8_t>({1}, {100});
  EXPECT_EQ(OpCase("ScatterElements").attribute("reduction", "add").run({small, int64s({0}), small}).item<int8_t>(), -56);
  const Tensor nan = floats({1}, {std::nanf("")});
  for (const char* reduction : {"min", "max"}) {
    OpCase node("ScatterElements");
    EXPECT_TRUE(std::isnan(node.attribute("reduction", reduction).run({floats({1}, {1}), int64s({0}), nan}).item<float>()));
  }
}

TEST(ScatterElements, RefusesWhatDoesNotFit) {
  const Tensor x({2, 3});
  EXPECT_EQ(OpCase("ScatterElements").error({x, int64s({2}).reshape({1, 1}), Tensor({1, 1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("ScatterElements").error({x, int64s({0}).reshape({1, 1}), Tensor({1, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("ScatterElements", 16).attribute("reduction", "max").error({x, x, x}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("ScatterND").error({x, int64s({5}).reshape({1, 1}), Tensor({1, 3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("ScatterND").error({x, int64s({1}).reshape({1, 1}), Tensor({3})}).first, ErrorCode::kInvalidArgument);
}

TEST(ScatterND, SlicesFollowEachOther) {
  const Tensor x = Tensor::zeros({3, 2}), updates = floats({3, 2}, {1, 2, 3, 4, 5, 6});
  expect_close(OpCase("ScatterND", 11).run({x, int64s({2, 0, 2}).reshape({3, 1}), updates}), {3, 2}, {3, 4, 0, 0, 5, 6});
}

TEST(TensorScatter, LinearAndCircular) {
  const Tensor cache = Tensor::zeros({2, 4, 1}), update = floats({2, 2, 1}, {1, 2, 3, 4});
  expect_close(OpCase("TensorScatter", 24).run({cache, update}), {2, 4, 1}, {1, 2, 0, 0, 3, 4, 0, 0});
  expect_close(OpCase("TensorScatter", 24).run({cache, update, int64s({2, 1})}), {2, 4, 1}, {0, 0, 1, 2, 0, 3, 4, 0});
  expect_close(OpCase("TensorScatter", 24).attribute("mode", "circular").run({cache, update, int64s({3, 0})}), {2, 4, 1},
               {2, 0, 0, 1, 3, 4, 0, 0});
  EXPECT_THAT(OpCase("TensorScatter", 24).error({cache, update, int64s({0, 3})}).second, HasSubstr("write index 3 of sample 1"));
  EXPECT_EQ(OpCase("TensorScatter", 24).error({cache, update, int64s({0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("TensorScatter", 24).attribute("axis", 0).error({cache, update}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
