// The products of ai.sardonyx against the plain operators followed by the function.
#include "ops/elementwise/activation.h"

#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

struct Product {
  const char *plain, *fused;
  Shape x, w, bias;
};
const Product kProducts[] = {{"Conv", "FusedConv", {2, 4, 7, 6}, {8, 4, 3, 3}, {8}},
                             {"ConvTranspose", "FusedConvTranspose", {2, 4, 5, 6}, {4, 6, 3, 3}, {6}},
                             {"Gemm", "FusedGemm", {9, 20}, {20, 33}, {33}},
                             {"Gemm", "FusedGemm", {1, 20}, {20, 33}, {33}}};

std::vector<float> params_of(const ActivationRow& row) {
  if (row.params == 0) return {};
  return row.params == 1 ? std::vector<float>{0.3f} : std::vector<float>{-0.25f, 0.5f};
}

// The function as an operator of its own.
Tensor applied(const ActivationRow& row, const Tensor& x) {
  const std::vector<float> params = params_of(row);
  if (row.name == "Clip") return OpCase("Clip").run({x, Tensor::scalar(params[0]).to(x.dtype()), Tensor::scalar(params[1]).to(x.dtype())});
  OpCase node{std::string(row.name), 24};
  if (!params.empty()) node.attribute("alpha", params[0]);
  if (params.size() > 1) node.attribute("beta", params[1]);
  return node.run({x});
}

OpCase fused(const char* op_type, const ActivationRow& row) {
  OpCase node(op_type, 1, "ai.sardonyx");
  node.attribute("activation", row.name);
  if (row.params > 0) node.attribute("activation_params", params_of(row));
  return node;
}

TEST(Activation, ProductsTakeTheBitsOfTheOperator) {
  std::mt19937 generator(11);
  for (const Product& p : kProducts) {
    const std::vector<Tensor> inputs = {random_tensor(generator, p.x), random_tensor(generator, p.w), random_tensor(generator, p.bias)};
    const Tensor plain = OpCase(p.plain, 22).run(inputs);
    for (const ActivationRow& row : activation_rows()) {
      const Tensor expected = applied(row, plain);
      for (const Tensor& actual : {fused(p.fused, row).run(inputs), fused(p.fused, row).run_with_constants(inputs, 0b10)}) {
        expect_close(actual, expected.shape(), doubles(expected), 1e-6);
      }
    }
  }
}

TEST(Activation, DoublesAndHalves) {
  std::mt19937 generator(12);
  for (const Product& p : kProducts) {
    for (const auto& [dtype, tolerance] : {std::pair{DType::kFloat64, 1e-12}, {DType::kFloat16, 4e-3}}) {
      std::vector<Tensor> inputs;
      for (const Shape& shape : {p.x, p.w, p.bias}) inputs.push_back(random_tensor(generator, shape, -0.3f, 0.3f).to(dtype));
      const Tensor plain = OpCase(p.plain, 22).run(inputs);
      for (const ActivationRow& row : activation_rows()) {
        const Tensor expected = applied(row, plain), actual = fused(p.fused, row).run(inputs);
        EXPECT_EQ(actual.dtype(), dtype);
        expect_close(actual, expected.shape(), doubles(expected), tolerance);
      }
    }
  }
}

TEST(Activation, MatMulAddsABias) {
  std::mt19937 generator(13);
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    const Tensor a = random_tensor(generator, {2, 3, 5}).to(dtype), b = random_tensor(generator, {5, 7}).to(dtype);
    const Tensor bias = random_tensor(generator, {7}).to(dtype);
    const Tensor sum = OpCase("Add").run({OpCase("MatMul").run({a, b}), bias});
    for (const ActivationRow& row : activation_rows()) {
      const Tensor expected = applied(row, sum);
      expect_close(fused("FusedMatMul", row).run({a, b, bias}), expected.shape(), doubles(expected), 1e-6);
      expect_close(fused("FusedMatMul", row).run_with_constants({a, b, bias}, 0b10), expected.shape(), doubles(expected), 1e-6);
    }
  }
  EXPECT_THAT(OpCase("FusedMatMul", 1, "ai.sardonyx").error({Tensor({2, 3}), Tensor({3, 4}), Tensor({3})}).second,
              HasSubstr("bias has shape [3]; it must be [4]"));
}

TEST(Activation, RefusesWhatItDoesNotKnow) {
  const Tensor x({1, 1, 2, 2}), w({1, 1, 1, 1});
  const auto conv = [] { return OpCase("FusedConv", 1, "ai.sardonyx"); };
  EXPECT_THAT(conv().attribute("activation", "Erf").error({x, w}).second, HasSubstr("'Erf'; it must be one of Clip, HardSigmoid"));
  EXPECT_THAT(conv().attribute("activation", "Clip").error({x, w}).second, HasSubstr("has 0 values; Clip needs 2"));
  const Tensor a = Tensor::ones({2, 2}, DType::kInt32);
  EXPECT_EQ(OpCase("FusedGemm", 1, "ai.sardonyx").attribute("activation", "Relu").error({a, a}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
