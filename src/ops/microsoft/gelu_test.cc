// Gelu, BiasGelu, FastGelu and QuickGelu of com.microsoft against their definitions in double.
#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

OpCase node(const char* op_type) { return OpCase(op_type, 1, "com.microsoft"); }

double exact(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
double by_tanh(double x) { return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); }

// function(x + bias), in double on the rounded inputs.
std::vector<double> expected(double (*function)(double), const Tensor& x, const Tensor& bias) {
  std::vector<double> values = doubles(x);
  const std::vector<double> add = bias.defined() ? doubles(bias) : std::vector<double>(1, 0.0);
  for (size_t i = 0; i < values.size(); ++i) values[i] = function(values[i] + add[i % add.size()]);
  return values;
}

TEST(MicrosoftGelu, EveryTypeWithAndWithoutBias) {
  std::mt19937 generator(5);
  const Tensor wide = random_tensor(generator, {3, 4, 701}, -5, 5), along = random_tensor(generator, {701}, -2, 2);
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
    SCOPED_TRACE(type_string(dtype));
    const Tensor x = wide.to(dtype), bias = along.to(dtype);
    const double tolerance = dtype == DType::kBFloat16 ? 8e-3 : dtype == DType::kFloat16 ? 1e-3 : 2e-6;
    expect_close(node("Gelu").run({x}), x.shape(), expected(exact, x, {}), tolerance);
    expect_close(node("FastGelu").run({x}), x.shape(), expected(by_tanh, x, {}), tolerance);
    expect_close(node("FastGelu").run({x, Tensor()}), x.shape(), expected(by_tanh, x, {}), tolerance);
    expect_close(node("FastGelu").run({x, bias}), x.shape(), expected(by_tanh, x, bias), tolerance);
    expect_close(node("BiasGelu").run({x, bias}), x.shape(), expected(exact, x, bias), tolerance);
  }
}

TEST(MicrosoftGelu, QuickTakesAlpha) {
  const Tensor x = floats({4}, {-3, -0.5f, 0.5f, 3});
  for (const float alpha : {1.702f, 0.5f, -1.0f}) {
    OpCase quick = node("QuickGelu");
    if (alpha != 1.702f) quick.attribute("alpha", alpha);
    std::vector<double> values = doubles(x);
    for (double& value : values) value /= 1 + std::exp(-static_cast<double>(alpha) * value);
    expect_close(quick.run({x}), {4}, values);
  }
}

TEST(MicrosoftGelu, RefusesABiasThatIsNoRow) {
  const Tensor x({2, 3});
  for (const char* op_type : {"BiasGelu", "FastGelu"}) {
    EXPECT_THAT(node(op_type).error({x, Tensor({2})}).second, HasSubstr("bias has shape [2]"));
    EXPECT_EQ(node(op_type).error({x, Tensor({1, 3})}).first, ErrorCode::kInvalidArgument);
    EXPECT_EQ(node(op_type).error({x, Tensor({3}, DType::kFloat64)}).first, ErrorCode::kInvalidArgument);
    EXPECT_EQ(node(op_type).error({Tensor::scalar(1.0f), Tensor({1})}).first, ErrorCode::kInvalidArgument);
    EXPECT_EQ(node(op_type).run({Tensor({0, 3}), Tensor({3})}).shape(), (Shape{0, 3}));
  }
  EXPECT_EQ(node("BiasGelu").error({x, Tensor()}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
