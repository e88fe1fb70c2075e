#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;

TEST(OneHot, IndicesOfEveryTypeOnEveryAxis) {
  const Tensor values = floats({2}, {2, 5}), indices = floats({2}, {1, 2});
  for (const DType dtype : {DType::kFloat32, DType::kInt32, DType::kInt64, DType::kUInt8, DType::kUInt64, DType::kFloat16}) {
    expect_close(OpCase("OneHot").run({indices.to(dtype), Tensor::scalar(3.0f).to(dtype), values}), {2, 3}, {2, 5, 2, 2, 2, 5});
    expect_close(OpCase("OneHot").attribute("axis", 0).run({indices.to(dtype), int64s({3}), values}), {3, 2}, {2, 2, 5, 2, 2, 5});
  }
  expect_close(OpCase("OneHot").run({int64s({-1, -4, 3}), int64s({3}), values}), {3, 3}, {2, 2, 5, 2, 2, 2, 2, 2, 2});
  expect_close(OpCase("OneHot").run_with_constants({int64s({0}), int64s({2}), values}, 0b10), {1, 2}, {5, 2});
  const Tensor text = Tensor::of_strings({2}, {"off", "on"});
  EXPECT_THAT(OpCase("OneHot").run({Tensor::scalar<int64_t>(0), int64s({2}), text}).strings(), ElementsAre("on", "off"));
  EXPECT_EQ(OpCase("OneHot").error({int64s({0}), int64s({-1}), values}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("OneHot").error({int64s({0}), int64s({1, 2}), values}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("OneHot").error({int64s({0}), int64s({1}), floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("OneHot").error({int64s({0}), int64s({int64_t{1} << 60}), values}).first, ErrorCode::kResourceLimit);
}

}  // namespace
}  // namespace sardonyx::ops
