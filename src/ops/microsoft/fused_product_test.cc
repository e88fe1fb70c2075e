// FusedConv, FusedGemm and FusedMatMul of com.microsoft against the plain operators and products in double.
#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

OpCase node(const char* op_type) { return OpCase(op_type, 1, "com.microsoft"); }

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct FunctionCase {
  const char* name;
  std::vector<float> params;
  double (*function)(double x);
};
const std::vector<FunctionCase> kConvFunctions = {
    {"Relu", {}, [](double x) { return std::max(x, 0.0); }},
    {"Tanh", {}, [](double x) { return std::tanh(x); }},
    {"Sigmoid", {}, sigmoid},
    {"Silu", {}, [](double x) { return x * sigmoid(x); }},
    {"LeakyRelu", {0.25f}, [](double x) { return x < 0 ? 0.25 * x : x; }},
    {"Clip", {-0.5f, 0.75f}, [](double x) { return std::clamp(x, -0.5, 0.75); }},
    {"HardSigmoid", {0.5f, 0.25f}, [](double x) { return std::clamp(0.5 * x + 0.25, 0.0, 1.0); }},
};

std::vector<double> mapped(const Tensor& tensor, double (*function)(double)) {
  std::vector<double> values = doubles(tensor);
  std::ranges::transform(values, values.begin(), function);
  return values;
}

TEST(MicrosoftFusedConv, FunctionsOfBiasAndResidual) {
  std::mt19937 generator(11);
  const Tensor x = random_tensor(generator, {2, 3, 5, 6}), w = random_tensor(generator, {4, 3, 3, 3}), b = random_tensor(generator, {4});
  const Tensor z = random_tensor(generator, {2, 4, 5, 6});
  Tensor sum = OpCase("Conv").ints("pads", {1, 1, 1, 1}).run({x, w, b});
  expect_close(node("FusedConv").ints("pads", {1, 1, 1, 1}).run({x, w, b}), sum.shape(), doubles(sum));
  sum = OpCase("Add").run({sum, z});
  for (const FunctionCase& row : kConvFunctions) {
    SCOPED_TRACE(row.name);
    OpCase fused = node("FusedConv");
    fused.ints("pads", {1, 1, 1, 1}).attribute("activation", row.name);
    if (!row.params.empty()) fused.attribute("activation_params", row.params);
    expect_close(fused.run({x, w, b, z}), sum.shape(), mapped(sum, row.function));
    expect_close(fused.run_with_constants({x, w, b, z}, 0b110), sum.shape(), mapped(sum, row.function));
    const DType half = DType::kFloat16;
    const Tensor y = fused.run({x.to(half), w.to(half), b.to(half), z.to(half)});
    EXPECT_EQ(y.dtype(), half);
    expect_close(y, sum.shape(), mapped(sum, row.function), 1e-2);
  }
}

TEST(MicrosoftFusedConv, RefusesFunctionsItDoesNotHave) {
  const Tensor x({1, 1, 3}), w({1, 1, 3});
  EXPECT_THAT(node("FusedConv").attribute("activation", "Elu").error({x, w}).second,
              HasSubstr("'Elu'; it must be one of Clip, HardSigmoid"));
  EXPECT_THAT(node("FusedConv").attribute("activation", "Clip").error({x, w}).second, HasSubstr("has 0 values; Clip needs 2"));
  OpCase many = node("FusedConv");
  many.attribute("activation", "LeakyRelu").attribute("activation_params", std::vector<float>{1, 2});
  EXPECT_EQ(many.error({x, w}).first, ErrorCode::kInvalidModel);
  EXPECT_THAT(node("FusedConv").attribute("activation", "Relu").error({x, w, Tensor(), Tensor({1, 1, 2})}).second,
              HasSubstr("Z has shape"));
}

TEST(MicrosoftFusedGemm, Functions) {
  std::mt19937 generator(12);
  const Tensor a = random_tensor(generator, {4, 5}, -2, 2), b = random_tensor(generator, {3, 4}), c = random_tensor(generator, {3});
  const std::vector<FunctionCase> cases = {
      {"Relu", {}, [](double x) { return std::max(x, 0.0); }},
      {"Tanh", {}, [](double x) { return std::tanh(x); }},
      {"Sigmoid", {}, sigmoid},
      {"Softplus", {}, [](double x) { return std::log1p(std::exp(x)); }},
      {"Softsign", {}, [](double x) { return x / (1 + std::abs(x)); }},
      {"Elu", {0.5f}, [](double x) { return x < 0 ? 0.5 * std::expm1(x) : x; }},
      {"LeakyRelu", {0.5f}, [](double x) { return x < 0 ? 0.5 * x : x; }},
      {"ThresholdedRelu", {0.5f}, [](double x) { return x > 0.5 ? x : 0; }},
      {"HardSigmoid", {0.5f, 0.25f}, [](double x) { return std::clamp(0.5 * x + 0.25, 0.0, 1.0); }},
      {"ScaledTanh", {0.5f, 2.0f}, [](double x) { return 0.5 * std::tanh(2 * x); }},
      {"ParametricSoftplus", {0.5f, 2.0f}, [](double x) { return 0.5 * std::log1p(std::exp(2 * x)); }},
  };
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    const std::vector<Tensor> inputs = {a.to(dtype), b.to(dtype), c.to(dtype)};
    const Tensor plain = OpCase("Gemm").attribute("transA", 1).attribute("transB", 1).attribute("alpha", 0.5f).run(inputs);
    for (const FunctionCase& row : cases) {
      SCOPED_TRACE(row.name);
      OpCase fused = node("FusedGemm");
      fused.attribute("transA", 1).attribute("transB", 1).attribute("alpha", 0.5f).attribute("activation", row.name);
      if (!row.params.empty()) fused.attribute("activation_alpha", row.params[0]);
      if (row.params.size() > 1) fused.attribute("activation_beta", row.params[1]);
      expect_close(fused.run(inputs), plain.shape(), mapped(plain, row.function));
    }
  }
  EXPECT_THAT(node("FusedGemm").attribute("activation", "Gelu").error({a, a}).second, HasSubstr("one of Elu, HardSigmoid"));
  const Tensor whole({2, 2}, DType::kInt32);
  EXPECT_EQ(node("FusedGemm").attribute("activation", "Relu").error({whole, whole}).first, ErrorCode::kInvalidArgument);
}

// How an operand lies.
struct Layout {
  bool inside, transposed;
};

// Element (batch, row, column) of a stack of `batches` matrices of rows x columns.
size_t place(const Layout& layout, size_t batches, size_t rows, size_t columns, size_t batch, size_t row, size_t column) {
  if (layout.transposed) {
    std::swap(rows, columns);
    std::swap(row, column);
  }
  return layout.inside ? (row * batches + batch) * columns + column : (batch * rows + row) * columns + column;
}

Shape stored(const Layout& layout, int64_t batches, int64_t rows, int64_t columns) {
  if (layout.transposed) std::swap(rows, columns);
  return layout.inside ? Shape{rows, batches, columns} : Shape{batches, rows, columns};
}

void check_layouts(DType dtype, const Layout& a_layout, const Layout& b_layout) {
  constexpr size_t kBatches = 3, kRows = 4, kColumns = 5, kInner = 6;
  std::mt19937 generator(13);
  const Tensor a = random_tensor(generator, stored(a_layout, kBatches, kRows, kInner)).to(dtype);
  const Tensor b = random_tensor(generator, stored(b_layout, kBatches, kInner, kColumns)).to(dtype);
  const std::vector<double> left = doubles(a), right = doubles(b);
  std::vector<double> expected;
  for (size_t i = 0; i < kBatches; ++i) {
    for (size_t row = 0; row < kRows; ++row) {
      for (size_t column = 0; column < kColumns; ++column) {
        double sum = 0;
        for (size_t k = 0; k < kInner; ++k) {
          sum +=
              left[place(a_layout, kBatches, kRows, kInner, i, row, k)] * right[place(b_layout, kBatches, kInner, kColumns, i, k, column)];
        }
        expected.push_back(-0.5 * sum);
      }
    }
  }
  OpCase fused = node("FusedMatMul");
  fused.attribute("alpha", -0.5f).attribute("transA", int{a_layout.transposed}).attribute("transB", int{b_layout.transposed});
  fused.attribute("transBatchA", int{a_layout.inside}).attribute("transBatchB", int{b_layout.inside});
  expect_close(fused.run({a, b}), {kBatches, kRows, kColumns}, expected, dtype == DType::kFloat16 ? 2e-3 : 1e-5);
}

TEST(MicrosoftFusedMatMul, EveryLayout) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    for (int bits = 0; bits < 16; ++bits) {
      SCOPED_TRACE(type_string(dtype) + " " + std::to_string(bits));
      check_layouts(dtype, {(bits & 1) != 0, (bits & 2) != 0}, {(bits & 4) != 0, (bits & 8) != 0});
    }
  }
}

TEST(MicrosoftFusedMatMul, ConstantMatrixForTransposedBatches) {
  std::mt19937 generator(14);
  const Tensor a = random_tensor(generator, {3, 6, 4}), b = random_tensor(generator, {5, 6});
  OpCase fused = node("FusedMatMul");
  fused.attribute("transA", 1).attribute("transB", 1);
  const Tensor expected = OpCase("MatMul").run({OpCase("Transpose").ints("perm", {0, 2, 1}).run({a}), OpCase("Transpose").run({b})});
  expect_close(fused.run({a, b}), {3, 4, 5}, doubles(expected));
  expect_close(fused.run_with_constants({a, b}, 0b10), {3, 4, 5}, doubles(expected));
}

TEST(MicrosoftFusedMatMul, VectorsAndRefusals) {
  const Tensor vector = floats({2}, {1, 2}), matrix = floats({3, 2}, {1, 2, 3, 4, 5, 6});
  OpCase fused = node("FusedMatMul");
  fused.attribute("transA", 1).attribute("transB", 1);
  expect_close(fused.run({vector, matrix}), {3}, {5, 11, 17});
  OpCase inside = node("FusedMatMul");
  inside.attribute("transBatchA", 1);
  EXPECT_THAT(inside.error({matrix, matrix}).second, HasSubstr("the same rank, at least 3"));
  EXPECT_EQ(inside.error({Tensor({3, 2, 4}), Tensor({4, 5})}).first, ErrorCode::kInvalidArgument);
  EXPECT_THAT(node("FusedMatMul").error({matrix, matrix}).second, HasSubstr("do not fit"));
  const Tensor whole({2, 2}, DType::kInt32);
  EXPECT_EQ(node("FusedMatMul").attribute("alpha", 0.5f).error({whole, whole}).first, ErrorCode::kUnsupported);
  // The attributes belong to FusedMatMul alone.
  expect_close(OpCase("MatMul").attribute("transA", 1).attribute("alpha", 2.0f).run({matrix, vector}), {3}, {5, 11, 17});
}

}  // namespace
}  // namespace sardonyx::ops
