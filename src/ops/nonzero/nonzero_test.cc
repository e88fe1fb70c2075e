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

template <class T>
void expect_complex_coordinates() {
  using Number = std::complex<T>;
  const Tensor x = Tensor::of<Number>({2, 3}, {Number(0, 0), Number(1, 0), Number(0, 2), Number(-0.0, 0), Number(3, 4), Number(0, -0.0)});
  expect_close(OpCase("NonZero").run({x}), {2, 3}, {0, 0, 1, 1, 2, 1});
  Tensor many({1000}, kDTypeOf<Number>);
  for (Number& value : many.mutable_values<Number>()) value = Number(0, 1);
  const Tensor found = OpCase("NonZero").run({many});
  ASSERT_EQ(found.shape(), (Shape{1, 1000}));
  for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(found.values<int64_t>()[static_cast<size_t>(i)], i);
}

TEST(NonZero, ComplexNumbers) {
  expect_complex_coordinates<float>();
  expect_complex_coordinates<double>();
}

}  // namespace
}  // namespace sardonyx::ops
