#include "ops/gemm/gemm.h"

#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

// The definition for matrices in double.
std::vector<double> product_oracle(const std::vector<double>& a, const std::vector<double>& b, size_t m, size_t n, size_t k) {
  std::vector<double> y(m * n);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j)
      for (size_t p = 0; p < k; ++p) y[i * n + j] += a[i * k + p] * b[p * n + j];
  return y;
}

std::vector<double> transposed(const std::vector<double>& values, size_t rows, size_t columns) {
  std::vector<double> result(values.size());
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) result[j * rows + i] = values[i * columns + j];
  return result;
}

TEST(Gemm, EveryTransposeAndEveryC) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  const size_t m = 5, n = 7, k = 11;
  const std::vector<Shape> shapes_of_c = {{}, {7}, {1, 7}, {5, 1}, {5, 7}, {1}, {1, 1}};
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const Tensor a = random_tensor(generator, ta ? Shape{11, 5} : Shape{5, 11});
      const Tensor b = random_tensor(generator, tb ? Shape{7, 11} : Shape{11, 7});
      const auto left = ta ? transposed(doubles(a), k, m) : doubles(a);
      const auto right = tb ? transposed(doubles(b), n, k) : doubles(b);
      const std::vector<double> ab = product_oracle(left, right, m, n, k);
      for (const Shape& c_shape : shapes_of_c) {
        for (const float beta : {1.0f, 0.5f}) {
          const Tensor c = random_tensor(generator, c_shape);
          std::vector<double> expected = ab;
          for (size_t i = 0; i < expected.size(); ++i) {
            const size_t row = c_shape.size() == 2 && c_shape[0] != 1 ? i / n : 0;
            const bool by_column = !c_shape.empty() && c_shape.back() != 1;
            const size_t at = row * (by_column ? n : 1) + (by_column ? i % n : 0);
            expected[i] = 0.75 * expected[i] + beta * doubles(c)[at];
          }
          OpCase node("Gemm");
          node.attribute("alpha", 0.75f).attribute("beta", beta).attribute("transA", int{ta}).attribute("transB", int{tb});
          expect_close(node.run({a, b, c}), {5, 7}, expected);
          expect_close(node.run_with_constants({a, b, c}, 0b110), {5, 7}, expected);
          expect_close(node.run({a.to(DType::kFloat64), b.to(DType::kFloat64), c.to(DType::kFloat64)}), {5, 7}, expected, 1e-12);
        }
      }
    }
  }
}

TEST(Gemm, IntegersAreExact) {
  const Tensor a = int64s({3, 4}).reshape({1, 2}), b = int64s({5, 6}).reshape({2, 1}), c = int64s({7});
  EXPECT_EQ(OpCase("Gemm").run({a, b, c}).item<int64_t>(), 46);
  const Tensor narrow = Tensor::of<uint32_t>({1, 1}, {4000000000u});
  EXPECT_EQ(OpCase("MatMul").run({narrow, narrow}).item<uint32_t>(), static_cast<uint32_t>(uint64_t{4000000000} * 4000000000));
}

TEST(Gemm, RefusesWhatDoesNotFit) {
  const Tensor a({2, 3}), b({3, 4});
  EXPECT_EQ(OpCase("Gemm").attribute("transA", 1).error({a, b}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Gemm").error({a, b, Tensor({3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Gemm").error({a, b, Tensor({1, 2, 4})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Gemm").error({a, Tensor({3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Gemm").error({a, b.to(DType::kInt32)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Gemm").error({a.to(DType::kInt8), b.to(DType::kInt8)}).first, ErrorCode::kUnsupported);
  EXPECT_EQ(OpCase("MatMul").error({a, Tensor({4, 3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("MatMul").error({a, Tensor::scalar(1.0f)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("MatMul").error({Tensor({2, 1, 1}), Tensor({3, 1, 1})}).first, ErrorCode::kInvalidArgument);
}

TEST(Gemm, NothingToSum) {
  expect_close(OpCase("Gemm").run({Tensor({2, 0}), Tensor({0, 2}), floats({2}, {1, 2})}), {2, 2}, {1, 2, 1, 2});
  EXPECT_EQ(OpCase("MatMul").run({Tensor({0, 3}), Tensor({3, 2})}).shape(), (Shape{0, 2}));
  expect_close(OpCase("MatMul").run({Tensor({1, 0}), Tensor({0, 2})}), {1, 2}, {0, 0});
  expect_close(OpCase("MatMul").run_with_constants({Tensor({2, 0}), Tensor({0, 2})}, 0b10), {2, 2}, {0, 0, 0, 0});
}

struct Product {
  Shape a, b, out;
};

TEST(MatMul, VectorsMatricesAndBatches) {
  const Product products[] = {
      {{3, 4}, {4, 5}, {3, 5}},
      {{4}, {4, 5}, {5}},
      {{3, 4}, {4}, {3}},
      {{4}, {4}, {}},
      {{2, 3, 4}, {4, 5}, {2, 3, 5}},
      {{2, 3, 4}, {2, 4, 5}, {2, 3, 5}},
      {{2, 1, 3, 4}, {3, 4, 5}, {2, 3, 3, 5}},
      {{4}, {2, 4, 5}, {2, 5}},
      {{2, 3, 4}, {4}, {2, 3}},
      {{3, 4}, {2, 4, 5}, {2, 3, 5}},
      {{2, 150, 130}, {2, 130, 140}, {2, 150, 140}},  // each product on all threads
  };
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (const Product& p : products) {
    SCOPED_TRACE(to_string(p.a) + " * " + to_string(p.b));
    const Tensor a = random_tensor(generator, p.a), b = random_tensor(generator, p.b);
    const MatMulGeometry geometry = matmul_geometry(p.a, p.b);
    const auto [m, n, k] = geometry.product;
    const std::vector<double> left = doubles(a), right = doubles(b);
    std::vector<double> expected;
    const auto batches = static_cast<size_t>(element_count(geometry.batch));
    const size_t a_step = left.size() == m * k ? 0 : 1, b_step = right.size() == k * n ? 0 : 1;
    for (size_t i = 0; i < batches; ++i) {
      const bool a_slow = p.a.size() == 4;  // the one case whose batches do not run side by side
      const size_t ai = a_slow ? i / 3 : i * a_step, bi = a_slow ? i % 3 : i * b_step;
      const std::vector<double> one(left.begin() + static_cast<ptrdiff_t>(ai * m * k),
                                    left.begin() + static_cast<ptrdiff_t>((ai + 1) * m * k));
      const std::vector<double> two(right.begin() + static_cast<ptrdiff_t>(bi * k * n),
                                    right.begin() + static_cast<ptrdiff_t>((bi + 1) * k * n));
      const std::vector<double> y = product_oracle(one, two, m, n, k);
      expected.insert(expected.end(), y.begin(), y.end());
    }
    expect_close(OpCase("MatMul").run({a, b}), p.out, expected, 1e-4);
    expect_close(OpCase("MatMul").run_with_constants({a, b}, 0b10), p.out, expected, 1e-4);
    expect_close(OpCase("MatMul").run({a.to(DType::kFloat64), b.to(DType::kFloat64)}), p.out, expected, 1e-12);
  }
}

TEST(MatMul, HalfPrecision) {
  const Tensor a = floats({1, 3}, {1, 2, 3}).to(DType::kFloat16), b = floats({3, 1}, {4, 5, 6}).to(DType::kFloat16);
  EXPECT_EQ(OpCase("MatMul").run({a, b}).item<Float16>().to_float(), 32);
  EXPECT_EQ(OpCase("MatMul").run_with_constants({a, b}, 0b10).item<Float16>().to_float(), 32);
}

TEST(FusedMatMul, OursAddsABias) {
  std::mt19937 generator(9);
  const Tensor a = random_tensor(generator, {2, 3, 4}), b = random_tensor(generator, {5, 4}), bias = random_tensor(generator, {5});
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    SCOPED_TRACE(type_string(dtype));
    const std::vector<Tensor> inputs = {a.to(dtype), b.to(dtype), bias.to(dtype)};
    std::vector<double> expected = product_oracle(doubles(inputs[0]), transposed(doubles(inputs[1]), 5, 4), 6, 5, 4);
    for (size_t i = 0; i < expected.size(); ++i) expected[i] = 0.5 * expected[i] + doubles(inputs[2])[i % 5];
    OpCase node("FusedMatMul", 1, "ai.sardonyx");
    node.attribute("alpha", 0.5f).attribute("transB", 1);
    expect_close(node.run(inputs), {2, 3, 5}, expected, dtype == DType::kFloat16 ? 2e-3 : 1e-5);
  }
  EXPECT_THAT(OpCase("FusedMatMul", 1, "ai.sardonyx").attribute("transB", 1).error({a, b, a}).second, testing::HasSubstr("it must be [5]"));
}

}  // namespace
}  // namespace sardonyx::ops
