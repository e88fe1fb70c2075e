#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

OpCase training(const char* op) { return OpCase(op, 1, "ai.onnx.preview.training"); }
const Tensor kRate = Tensor::scalar(0.5f), kFirst = Tensor::scalar<int64_t>(0), kThird = Tensor::scalar<int64_t>(3);

TEST(Training, OneStepByHand) {
  const Tensor x = floats({1}, {2}), g = floats({1}, {3}), v = floats({1}, {4}), h = floats({1}, {16});
  const auto check = [&](OpCase op, const std::vector<Tensor>& inputs, const std::vector<double>& expected) {
    const std::vector<Tensor> results = op.run_all(inputs);
    for (size_t i = 0; i < expected.size(); ++i) expect_close(results[i], {1}, {expected[i]});
  };
  check(training("Adagrad").outputs({"x", "h"}).attribute("decay_factor", 1.0f).attribute("epsilon", 0.0f), {kRate, kThird, x, g, h},
        {2 - 0.125 * 3 / 5, 25});
  OpCase momentum = training("Momentum"), nesterov = training("Momentum");
  for (OpCase* op : {&momentum, &nesterov})
    op->outputs({"x", "v"}).attribute("alpha", 0.5f).attribute("beta", 2.0f).attribute("norm_coefficient", 1.0f);
  check(momentum.attribute("mode", "standard"), {kRate, kThird, x, g, v}, {2 - 0.5 * 12, 12});
  check(nesterov.attribute("mode", "nesterov"), {kRate, kFirst, x, g, v}, {2 - 0.5 * (5 + 0.5 * 7), 7});
  OpCase adam = training("Adam");
  adam.outputs({"x", "v", "h"})
      .attribute("alpha", 0.5f)
      .attribute("beta", 0.5f)
      .attribute("epsilon", 0.0f)
      .attribute("norm_coefficient_post", 0.25f);
  check(adam, {kRate, kFirst, x, g, v, h}, {0.75 * (2 - 0.5 * 3.5 / std::sqrt(12.5)), 3.5, 12.5});
  const double rate = 0.5 * std::sqrt(1 - 0.125) / (1 - 0.125);
  check(adam, {kRate, kThird, x, g, v, h}, {0.75 * (2 - rate * 3.5 / std::sqrt(12.5)), 3.5, 12.5});
}

TEST(Training, SeveralTensorsInGroups) {
  const Tensor a = floats({2}, {1, 2}), b = Tensor::full({1, 1}, 5), ones = Tensor::ones({2}), one = Tensor::ones({1, 1});
  OpCase op = training("Momentum");
  op.outputs({"a", "b", "va", "vb"}).attribute("mode", "standard").attribute("alpha", 1.0f).attribute("beta", 1.0f);
  const std::vector<Tensor> results = op.run_all({kRate, kThird, a, b, ones, one, ones, one});
  expect_close(results[0], {2}, {0, 1});
  expect_close(results[1], {1, 1}, {4});
  expect_close(results[3], {1, 1}, {2});
  EXPECT_THAT(op.error({kRate, kThird, a, b}).second, HasSubstr("3 equal groups"));
  EXPECT_THAT(op.error({kRate, kThird, a, b, one, one, ones, one}).second, HasSubstr("as its value"));
}

}  // namespace
}  // namespace sardonyx::ops
