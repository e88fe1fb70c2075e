#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kInt64, DType::kUInt64};

TEST(NonZero, CoordinatesOfEveryType) {
  const Tensor x = floats({2, 3}, {0, 1, 0, 2, 0, 3});
  for (const DType dtype : kTypes) expect_close(OpCase("NonZero").run({x.to(dtype)}), {2, 3}, {0, 1, 1, 1, 0, 2});
  expect_close(OpCase("NonZero").run({x.to(DType::kBool)}), {2, 3}, {0, 1, 1, 1, 0, 2});
  expect_close(OpCase("NonZero").run({Tensor::of_strings({2}, {"", "a"})}), {1, 1}, {1});
  EXPECT_EQ(OpCase("NonZero").run({Tensor::scalar(5.0f)}).shape(), (Shape{0, 1}));
  EXPECT_EQ(OpCase("NonZero").run({Tensor({0, 2})}).shape(), (Shape{2, 0}));
  expect_close(OpCase("NonZero").run({floats({2}, {-0.0f, std::nanf("")})}), {1, 1}, {1});
}

}  // namespace
}  // namespace sardonyx::ops
