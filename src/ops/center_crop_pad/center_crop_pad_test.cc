#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kInt64, DType::kUInt64};

TEST(CenterCropPad, BothAtOnce) {
  const Tensor x = floats({3, 2}, {1, 2, 3, 4, 5, 6});
  for (const DType dtype : kTypes) {
    expect_close(OpCase("CenterCropPad").run({x.to(dtype), int64s({1, 5})}), {1, 5}, {0, 3, 4, 0, 0});
    expect_close(OpCase("CenterCropPad").ints("axes", {-1}).run({x.to(dtype), int64s({1})}), {3, 1}, {1, 3, 5});
    expect_close(OpCase("CenterCropPad").ints("axes", {0}).run({x.to(dtype), int64s({4})}), {4, 2}, {1, 2, 3, 4, 5, 6, 0, 0});
  }
  EXPECT_THAT(OpCase("CenterCropPad").run({Tensor::of_strings({1}, {"a"}), int64s({3})}).strings(), ElementsAre("", "a", ""));
  EXPECT_EQ(OpCase("CenterCropPad").error({x, int64s({1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("CenterCropPad").error({x, int64s({1, -1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("CenterCropPad").ints("axes", {0, 0}).error({x, int64s({1, 1})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
