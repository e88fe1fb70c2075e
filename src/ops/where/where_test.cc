#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

TEST(Where, AllThreeAreBroadcast) {
  const Tensor condition = Tensor::of<bool>({2, 1}, {true, false}), x = floats({3}, {1, 2, 3}), y = floats({}, {9});
  for (const DType dtype : {DType::kFloat32, DType::kInt8, DType::kFloat16, DType::kInt64}) {
    expect_close(OpCase("Where").run({condition, x.to(dtype), y.to(dtype)}), {2, 3}, {1, 2, 3, 9, 9, 9});
  }
  expect_close(OpCase("Where").run({Tensor::scalar(false), x, y}), {3}, {9, 9, 9});
  expect_close(OpCase("Where").run({Tensor::scalar(true), y, y}), {}, {9});
  EXPECT_EQ(OpCase("Where").run({Tensor::of<bool>({0}, {}), y, y}).shape(), (Shape{0}));
  const Tensor text = OpCase("Where").run({condition, Tensor::of_strings({}, {"yes"}), Tensor::of_strings({}, {"no"})});
  EXPECT_THAT(text.strings(), testing::ElementsAre("yes", "no"));
}

TEST(Where, RefusesWhatDoesNotFit) {
  const Tensor x({2}), condition({2}, DType::kBool);
  EXPECT_EQ(OpCase("Where").error({x, x, x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Where").error({condition, x, int64s({1, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Where").error({condition, Tensor({3}), x}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
