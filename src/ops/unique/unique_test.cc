#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;

OpCase unique() { return OpCase("Unique").outputs({"y", "first", "inverse", "counts"}); }

std::vector<int64_t> numbers(const Tensor& tensor) { return {tensor.values<int64_t>().begin(), tensor.values<int64_t>().end()}; }

TEST(Unique, ElementsOfEveryType) {
  const Tensor x = floats({2, 3}, {2, 1, 1, 3, 4, 3});
  for (const DType dtype :
       {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kInt64, DType::kUInt64, DType::kUInt8}) {
    const auto sorted = unique().run_all({x.to(dtype)});
    expect_close(sorted[0], {4}, {1, 2, 3, 4});
    EXPECT_THAT(numbers(sorted[1]), ElementsAre(1, 0, 3, 4));
    EXPECT_THAT(numbers(sorted[2]), ElementsAre(1, 0, 0, 2, 3, 2));
    EXPECT_THAT(numbers(sorted[3]), ElementsAre(2, 1, 2, 1));
    const auto plain = unique().attribute("sorted", 0).run_all({x.to(dtype)});
    expect_close(plain[0], {4}, {2, 1, 3, 4});
    EXPECT_THAT(numbers(plain[1]), ElementsAre(0, 1, 3, 4));
    EXPECT_THAT(numbers(plain[2]), ElementsAre(0, 1, 1, 2, 3, 2));
    EXPECT_THAT(numbers(plain[3]), ElementsAre(1, 2, 2, 1));
  }
  EXPECT_THAT(OpCase("Unique").run({Tensor::of_strings({3}, {"b", "a", "b"})}).strings(), ElementsAre("a", "b"));
  EXPECT_EQ(OpCase("Unique").run({Tensor::of<bool>({3}, {true, false, true})}).numel(), 2);
}

TEST(Unique, OrderOfExtremes) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const Tensor x = floats({8}, {nan, 0, -1, infinity, -0.0f, -infinity, nan, 1});
  expect_close(OpCase("Unique").run({x}), {6}, {-infinity, -1, 0, 1, infinity, nan});
  const int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(numbers(OpCase("Unique").run({int64s({most, 0, least, -1, most})})), ElementsAre(least, -1, 0, most));
}

TEST(Unique, SlicesAlongAnAxis) {
  const Tensor x = floats({3, 2}, {1, 9, 1, 8, 1, 9});
  const auto rows = unique().attribute("axis", 0).run_all({x});
  expect_close(rows[0], {2, 2}, {1, 8, 1, 9});
  EXPECT_THAT(numbers(rows[1]), ElementsAre(1, 0));
  EXPECT_THAT(numbers(rows[2]), ElementsAre(1, 0, 1));
  EXPECT_THAT(numbers(rows[3]), ElementsAre(1, 2));
  expect_close(OpCase("Unique").attribute("axis", -1).run({floats({2, 3}, {2, 1, 2, 4, 3, 4})}), {2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(OpCase("Unique").run({Tensor({0, 2})}).shape(), (Shape{0}));
  EXPECT_EQ(OpCase("Unique").attribute("axis", 0).run({Tensor({3, 0})}).shape(), (Shape{1, 0}));
  EXPECT_EQ(OpCase("Unique").attribute("axis", 2).error({x}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
