#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;

TEST(TopK, EveryTypeAndDirection) {
  const Tensor x = floats({2, 4}, {3, 1, 3, 2, 5, 6, 7, 8});
  for (const DType dtype :
       {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16, DType::kInt8, DType::kInt64, DType::kUInt64}) {
    const auto most = OpCase("TopK").outputs({"v", "i"}).run_all({x.to(dtype), int64s({3})});
    expect_close(most[0], {2, 3}, {3, 3, 2, 8, 7, 6});
    expect_close(most[1], {2, 3}, {0, 2, 3, 3, 2, 1});
    const auto least = OpCase("TopK").attribute("largest", 0).attribute("axis", 0).outputs({"v", "i"}).run_all({x.to(dtype), int64s({1})});
    expect_close(least[0], {1, 4}, {3, 1, 3, 2});
    expect_close(least[1], {1, 4}, {0, 0, 0, 0});
  }
  const auto old = OpCase("TopK", 1).attribute("k", 2).outputs({"v", "i"}).run_all({x});
  expect_close(old[0], {2, 2}, {3, 3, 8, 7});
  expect_close(OpCase("TopK").outputs({"v", "i"}).run_with_constants({x, int64s({2})}, 0b10), {2, 2}, {3, 3, 8, 7});
  EXPECT_EQ(OpCase("TopK").outputs({"v", "i"}).run({x, int64s({0})}).shape(), (Shape{2, 0}));
}

TEST(TopK, NanIsTheGreatest) {
  const Tensor x = floats({4}, {1, std::nanf(""), 3, std::nanf("")});
  EXPECT_THAT(OpCase("TopK").outputs({"v", "i"}).run_all({x, int64s({3})})[1].values<int64_t>(), ElementsAre(1, 3, 2));
  EXPECT_THAT(OpCase("TopK").attribute("largest", 0).outputs({"", "i"}).run_all({x, int64s({3})})[1].values<int64_t>(),
              ElementsAre(0, 2, 1));
}

TEST(TopK, LongLinesAgreeWithSorting) {
  std::mt19937 generator(5);
  const Tensor x = random_tensor(generator, {3, 2000});
  const Tensor y = OpCase("TopK").outputs({"v", "i"}).run({x, int64s({700})});
  for (size_t row = 0; row < 3; ++row) {
    std::vector<float> sorted(x.values<float>().begin() + static_cast<ptrdiff_t>(row) * 2000,
                              x.values<float>().begin() + static_cast<ptrdiff_t>(row + 1) * 2000);
    std::sort(sorted.rbegin(), sorted.rend());
    for (size_t i = 0; i < 700; ++i) ASSERT_EQ(y.values<float>()[row * 700 + i], sorted[i]);
  }
}

TEST(TopK, RefusesWhatDoesNotFit) {
  const Tensor x({2, 3});
  EXPECT_EQ(OpCase("TopK").outputs({"v", "i"}).error({x, int64s({4})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("TopK").outputs({"v", "i"}).error({x, int64s({-1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("TopK").outputs({"v", "i"}).error({x, int64s({1, 1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("TopK", 1).error({x}).first, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace sardonyx::ops
