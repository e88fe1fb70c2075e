#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Gather, RowsOfAnyAxis) {
  const Tensor x = floats({2, 3}, {0, 1, 2, 3, 4, 5});
  for (const DType dtype : {DType::kFloat32, DType::kBool, DType::kInt64, DType::kFloat16}) {
    const Tensor typed = x.to(dtype);
    EXPECT_EQ(doubles(OpCase("Gather").run({typed, int64s({1, -2, 1})})).size(), 9u);
  }
  expect_close(OpCase("Gather").run({x, int64s({1, 0})}), {2, 3}, {3, 4, 5, 0, 1, 2});
  expect_close(OpCase("Gather").attribute("axis", 1).run({x, int64s({-1, 0}).reshape({2, 1})}), {2, 2, 1}, {2, 0, 5, 3});
  expect_close(OpCase("Gather").attribute("axis", -1).run({x, Tensor::scalar<int32_t>(1)}), {2}, {1, 4});
  expect_close(OpCase("Gather").run({x, int64s({})}), {0, 3}, {});
  EXPECT_THAT(OpCase("Gather").run({Tensor::of_strings({3}, {"a", "b", "c"}), int64s({-1, 0})}).strings(), ElementsAre("c", "a"));
}

TEST(Gather, IndexOutsideTheAxis) {
  const Tensor x({2, 3});
  for (const int64_t index : {int64_t{3}, int64_t{-4}, std::numeric_limits<int64_t>::min()}) {
    const auto [code, text] = OpCase("Gather").attribute("axis", 1).error({x, int64s({0, index})});
    EXPECT_EQ(code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(text, HasSubstr("index " + std::to_string(index) + " is outside axis 1 of size 3"));
  }
  EXPECT_EQ(OpCase("Gather").error({Tensor({0, 3}), int64s({0})}).first, ErrorCode::kInvalidArgument);
}

TEST(Gather, RefusesWhatDoesNotFit) {
  EXPECT_EQ(OpCase("Gather").error({Tensor({2}), floats({1}, {0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Gather").attribute("axis", 1).error({Tensor({2}), int64s({0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Gather").error({Tensor::scalar(1.0f), int64s({0})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
