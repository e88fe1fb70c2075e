#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

TEST(Expand, BothWays) {
  const Tensor x = floats({3, 1}, {1, 2, 3});
  expect_close(OpCase("Expand").run({x, int64s({3, 2})}), {3, 2}, {1, 1, 2, 2, 3, 3});
  expect_close(OpCase("Expand").run({x, int64s({2, 1, 1})}), {2, 3, 1}, {1, 2, 3, 1, 2, 3});
  expect_close(OpCase("Expand").run({x.to(DType::kInt8), int64s({})}), {3, 1}, {1, 2, 3});
  EXPECT_EQ(OpCase("Expand").error({x, int64s({2, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Expand").error({x, int64s({3, -1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Expand").error({x, int64s({3, int64_t{1} << 50})}).first, ErrorCode::kResourceLimit);
}

TEST(Tile, EveryVersion) {
  const Tensor x = floats({1, 2}, {1, 2});
  expect_close(OpCase("Tile").run({x, int64s({2, 2})}), {2, 4}, {1, 2, 1, 2, 1, 2, 1, 2});
  expect_close(OpCase("Tile", 1).run({x, int64s({2}), int64s({1})}), {1, 4}, {1, 2, 1, 2});
  expect_close(OpCase("Tile").run({x, int64s({0, 1})}), {0, 2}, {});
  EXPECT_EQ(OpCase("Tile").run({Tensor::of_strings({1}, {"a"}), int64s({3})}).strings()[2], "a");
}

TEST(Tile, RefusesWhatDoesNotFit) {
  const Tensor x({2, 2});
  EXPECT_EQ(OpCase("Tile").error({x, int64s({2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Tile").error({x, int64s({2, -1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Tile").error({x, int64s({int64_t{1} << 40, 1})}).first, ErrorCode::kResourceLimit);
  EXPECT_EQ(OpCase("Tile").error({x, int64s({std::numeric_limits<int64_t>::max(), 1})}).first, ErrorCode::kResourceLimit);
}

}  // namespace
}  // namespace sardonyx::ops
