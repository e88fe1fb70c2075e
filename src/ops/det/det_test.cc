#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

TEST(Det, MatricesOfEveryType) {
  const Tensor x = floats({2, 1, 2, 2}, {0, 2, 3, 4, 1, 2, 2, 4});
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    expect_close(OpCase("Det").run({x.to(dtype)}), {2, 1}, {-6, 0});
  }
  expect_close(OpCase("Det", 11).run({floats({3, 3}, {2, 1, 1, 1, 3, 2, 1, 0, 0})}), {}, {-1});
  expect_close(OpCase("Det").run({Tensor({2, 0, 0})}), {2}, {1, 1});
  EXPECT_EQ(OpCase("Det").run({Tensor({0, 3, 3})}).shape(), (Shape{0}));
}

TEST(Det, ProductOfTheDiagonalWhateverTheOrderOfRows) {
  std::mt19937 generator(9);
  Tensor x = random_tensor(generator, {40, 40});
  double expected = -1;  // two rows change places
  for (size_t row = 0; row < 40; ++row) {
    for (size_t column = 0; column < row; ++column) x.mutable_values<float>()[row * 40 + column] = 0;
    float& diagonal = x.mutable_values<float>()[row * 41];
    diagonal += diagonal < 0 ? -1.0f : 1.0f;
    expected *= static_cast<double>(diagonal);
  }
  auto values = x.mutable_values<float>();
  std::swap_ranges(values.begin(), values.begin() + 40, values.begin() + 280);
  EXPECT_NEAR(OpCase("Det").run({x}).item<float>() / expected, 1, 1e-5);
}

TEST(Det, RefusesWhatIsNotSquare) {
  EXPECT_EQ(OpCase("Det").error({Tensor({2, 3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Det").error({Tensor({2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Det").error({int64s({1}).reshape({1, 1})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
