#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

// Python's x[start:end:step] on the list 0 ... size-1, but that a start before the first element is the first one backwards, too.
std::vector<double> slice_oracle(int64_t size, int64_t start, int64_t end, int64_t step) {
  const auto place = [&](int64_t at, int64_t least) {
    if (at < 0) at = at < -size ? -1 : at + size;
    return std::clamp<int64_t>(at, least, step > 0 ? size : size - 1);
  };
  std::vector<double> result;
  const int64_t first = place(start, 0);
  const int64_t last = place(end, step > 0 ? 0 : -1);
  for (int64_t i = first; step > 0 ? i < last : i > last; i += step) result.push_back(static_cast<double>(i));
  return result;
}

TEST(Slice, EveryRange) {
  Tensor x = Tensor::empty({6});
  for (size_t i = 0; i < 6; ++i) x.mutable_values<float>()[i] = static_cast<float>(i);
  for (const int64_t start : {-9, -6, -2, 0, 1, 5, 6, 100}) {
    for (const int64_t end : {-9, -7, -6, -1, 0, 3, 6, 100}) {
      for (const int64_t step : {1, 2, 7, -1, -2, -5}) {
        SCOPED_TRACE(std::to_string(start) + ":" + std::to_string(end) + ":" + std::to_string(step));
        const Tensor y = OpCase("Slice").run({x, int64s({start}), int64s({end}), int64s({0}), int64s({step})});
        EXPECT_EQ(doubles(y), slice_oracle(6, start, end, step));
      }
    }
  }
}

TEST(Slice, ExtremesDoNotOverflow) {
  const Tensor x = floats({3}, {1, 2, 3});
  const auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return doubles(OpCase("Slice").run({x, int64s({start}), int64s({end}), int64s({0}), int64s({step})}));
  };
  EXPECT_EQ(slice(kLeast, kMost, 1), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(slice(kMost, kLeast, -1), (std::vector<double>{3, 2, 1}));
  EXPECT_EQ(slice(kMost, kLeast, kLeast), (std::vector<double>{3}));
  EXPECT_EQ(slice(0, kMost, kMost), (std::vector<double>{1}));
}

TEST(Slice, SeveralAxesAttributesAndTypes) {
  const Tensor x = floats({3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const std::vector<double> expected = {5, 6, 9, 10};
  for (const DType dtype : {DType::kFloat32, DType::kUInt8, DType::kFloat16, DType::kInt64}) {
    expect_close(OpCase("Slice").run({x.to(dtype), int64s({1, 1}), int64s({3, -1})}), {2, 2}, expected);
  }
  expect_close(OpCase("Slice", 9).ints("starts", {1, 1}).ints("ends", {9, 3}).ints("axes", {0, 1}).run({x}), {2, 2}, expected);
  expect_close(OpCase("Slice").run({x, int64s({1}), int64s({3}), int64s({-1})}), {3, 2}, {1, 2, 5, 6, 9, 10});
  const Tensor narrow = Tensor::of<int32_t>({1}, {1}), end = Tensor::of<int32_t>({1}, {2});
  expect_close(OpCase("Slice").run({x, narrow, end}), {1, 4}, {4, 5, 6, 7});
  EXPECT_EQ(OpCase("Slice").run({Tensor::of_strings({2}, {"a", "b"}), int64s({-1}), int64s({-3}), Tensor(), int64s({-1})}).strings()[1],
            "a");
}

TEST(Slice, RefusesWhatDoesNotFit) {
  const Tensor x({3, 4});
  EXPECT_EQ(OpCase("Slice").error({x, int64s({0}), int64s({1}), int64s({0}), int64s({0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Slice").error({x, int64s({0}), int64s({1, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Slice").error({x, int64s({0}), int64s({1}), int64s({2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Slice").error({x, int64s({0, 0}), int64s({1, 1}), int64s({0, -2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Slice").error({x, int64s({0, 0, 0}), int64s({1, 1, 1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Slice").error({x, floats({1}, {0}), int64s({1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Slice").error({x, Tensor(), int64s({1})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
