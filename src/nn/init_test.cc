#include "sardonyx/nn/init.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/expect_error.h"
#include "sardonyx/nn/functional.h"
#include "sardonyx/nn/random.h"

namespace sardonyx::nn::init {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

double largest(const Tensor& tensor) {
  double result = 0;
  for (const float x : tensor.values<float>()) result = std::max(result, std::abs(static_cast<double>(x)));
  return result;
}

double variance(const Tensor& tensor) {
  double sum = 0;
  for (const float x : tensor.values<float>()) sum += static_cast<double>(x) * static_cast<double>(x);
  return sum / static_cast<double>(tensor.numel());
}

TEST(Init, Gains) {
  EXPECT_DOUBLE_EQ(calculate_gain(kReLU), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(calculate_gain(kTanh), 5.0 / 3);
  EXPECT_DOUBLE_EQ(calculate_gain(kLinear), 1);
  EXPECT_DOUBLE_EQ(calculate_gain(kLeakyReLU), std::sqrt(2 / 1.0001));
  EXPECT_DOUBLE_EQ(calculate_gain(kLeakyReLU, 1), 1);
  EXPECT_DOUBLE_EQ(calculate_gain(Nonlinearity::kSELU), 0.75);
}

// Rows (or columns, where there are more rows) are orthonormal up to the gain.
TEST(Init, OrthogonalIsOrthogonal) {
  manual_seed(1);
  const Shape shapes[] = {{64, 1, 5, 5}, {9, 32, 3, 3}, {7, 7}, {1, 5}, {5, 1}};
  for (const Shape& shape : shapes) {
    const Tensor tensor = orthogonal_(Tensor(shape), 1.5);
    const int64_t rows = shape[0], columns = tensor.numel() / rows;
    const bool wide = rows < columns;
    const std::span<const float> data = tensor.values<float>();
    const auto at = [&](int64_t vector, int64_t i) {
      return static_cast<double>(data[static_cast<size_t>(wide ? vector * columns + i : i * columns + vector)]);
    };
    for (int64_t a = 0; a < std::min(rows, columns); ++a) {
      for (int64_t b = 0; b <= a; ++b) {
        double product = 0;
        for (int64_t i = 0; i < std::max(rows, columns); ++i) product += at(a, i) * at(b, i);
        EXPECT_NEAR(product, a == b ? 2.25 : 0, 1e-5) << to_string(shape);
      }
    }
  }
}

TEST(Init, BoundsAndVariances) {
  manual_seed(2);
  EXPECT_NEAR(largest(kaiming_uniform_(Tensor({64, 32, 3, 3}))), std::sqrt(6 / (1.0001 * 32 * 9)), 1e-4);
  EXPECT_NEAR(largest(kaiming_uniform_(Tensor({64, 32, 3, 3}), 0, kFanOut, kReLU)), std::sqrt(6 / (64.0 * 9)), 1e-4);
  EXPECT_NEAR(largest(xavier_uniform_(Tensor({200, 100}), 2)), 2 * std::sqrt(6 / 300.0), 1e-3);
  EXPECT_NEAR(variance(xavier_normal_(Tensor({300, 200}))), 2 / 500.0, 1e-4);
  EXPECT_NEAR(variance(kaiming_normal_(Tensor({300, 200}), 0, kFanIn, kReLU)), 2 / 200.0, 2e-4);
  EXPECT_LE(largest(trunc_normal_(Tensor({10000}), 0, 1, -1.25, 1.25)), 1.25);
  EXPECT_NEAR(variance(trunc_normal_(Tensor({100000}), 0, 1, -40, 40)), 1, 0.02);
}

TEST(Init, DiracKeepsItsInput) {
  manual_seed(3);
  const Tensor x = rand({1, 3, 5, 4});
  const Tensor y = conv2d(x, dirac_(Tensor({3, 3, 3, 3})), {}, 1, 1);
  EXPECT_THAT(y.values<float>(), ::testing::ElementsAreArray(x.values<float>()));
}

TEST(Init, ConstantsAndEye) {
  EXPECT_THAT(ones_(Tensor({3})).values<float>(), Each(1));
  EXPECT_THAT(zeros_(Tensor::ones({3}, DType::kFloat64)).values<double>(), Each(0));
  EXPECT_THAT(constant_(Tensor({2}), 0.5).values<float>(), Each(0.5F));
  EXPECT_THAT(eye_(Tensor::full({2, 3}, 7)).values<float>(), ElementsAre(1, 0, 0, 0, 1, 0));
}

TEST(Init, SparseColumnsHaveTheirZeros) {
  const Tensor tensor = sparse_(Tensor({10, 6}), 0.25);
  for (size_t column = 0; column < 6; ++column) {
    int zeros = 0;
    for (size_t row = 0; row < 10; ++row) zeros += tensor.values<float>()[row * 6 + column] == 0 ? 1 : 0;
    EXPECT_EQ(zeros, 3);
  }
}

TEST(Init, Refusals) {
  EXPECT_THAT(error_of([] { orthogonal_(Tensor({3})); }), HasSubstr("2 or more dimensions are supported; the shape is [3]"));
  EXPECT_THAT(error_of([] { xavier_normal_(Tensor({3})); }), HasSubstr("fewer than 2 dimensions"));
  EXPECT_THAT(error_of([] { eye_(Tensor({3})); }), HasSubstr("Only tensors with 2 dimensions"));
  EXPECT_THAT(error_of([] { dirac_(Tensor({3, 3})); }), HasSubstr("3, 4, or 5 dimensions"));
  EXPECT_THAT(error_of([] { dirac_(Tensor({3, 3, 1}), 2); }), HasSubstr("divisible by groups"));
  EXPECT_THAT(error_of([] { uniform_(Tensor({3}), 2, 1); }), HasSubstr("from=2"));
  EXPECT_THAT(error_of([] { normal_(Tensor({3}), 0, -1); }), HasSubstr("std >= 0.0"));
  EXPECT_THAT(error_of([] { trunc_normal_(Tensor({3}), 0, 0); }), HasSubstr("std must be positive"));
  EXPECT_THAT(error_of([] { sparse_(Tensor({3, 3}), 2); }), HasSubstr("between 0 and 1"));
  EXPECT_THAT(error_of([] { ones_(Tensor({3}, DType::kInt32)); }, ErrorCode::kUnsupported), HasSubstr("tensor(int32)"));
}

TEST(Init, EmptyTensorsAreLeftAlone) {
  EXPECT_EQ(orthogonal_(Tensor({0, 3})).numel(), 0);
  EXPECT_EQ(kaiming_uniform_(Tensor({2, 0})).numel(), 0);
  EXPECT_EQ(dirac_(Tensor({0, 2, 3})).numel(), 0);
}

}  // namespace
}  // namespace sardonyx::nn::init
