#include "kernels/cpu/math/activation.h"

#include <cmath>
#include <vector>

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

std::vector<float> samples() {
  std::vector<float> x = {-INFINITY, INFINITY, NAN, -0.0f};
  for (int i = -30; i <= 30; ++i) x.push_back(0.37f * static_cast<float>(i));
  return x;
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0);
}

TEST(Activation, FloatsTakeTheBitsOfTheOperator) {
  core::ThreadPool pool(1);
  for (const UnaryRow& row : unary_rows()) {
    const std::vector<float> x = samples();
    std::vector<float> actual = x, expected = x;
    activate(Activation::of(row.op, {0.25f, 0.5f}), actual.data(), actual.size());
    unary(row.op, {0.25f, 0.5f}, x.data(), expected.data(), x.size(), pool);
    expect_same_bits(actual, expected);
  }
}

TEST(Activation, BoundsComeBeforeTheFunction) {
  std::vector<float> x = {-2, 0.5f, 3};
  Activation activation = Activation::of(UnaryOp::kNeg, {});
  activation.upper = 1;
  activate(activation, x.data(), x.size());
  EXPECT_EQ(x, (std::vector<float>{2, -0.5f, -1}));
}

TEST(Activation, DoublesTakeTheDefinition) {
  std::vector<double> x = {-2, 0.5, NAN, 1e300};
  activate(Activation::clip(-1, std::numeric_limits<float>::max()), x.data(), x.size());
  EXPECT_EQ(x[0], -1);
  EXPECT_TRUE(std::isnan(x[2]));
  EXPECT_EQ(x[3], 1e300);
  x = {0.5};
  activate(Activation::of(UnaryOp::kTanh, {}), x.data(), x.size());
  EXPECT_DOUBLE_EQ(x[0], std::tanh(0.5));
}

}  // namespace
}  // namespace sardonyx::kernels
