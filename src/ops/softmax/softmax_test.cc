#include "ops/movement/strided.h"
#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

// The definition over the groups of elements that share a position when the axes in [first, last) are taken as one.
std::vector<double> softmax_oracle(const Tensor& x, size_t first, size_t last, bool log) {
  Shape kept = x.shape();
  for (size_t i = first; i < last; ++i) kept[i] = 1;
  const StridedView group = broadcast_view(kept, x.shape());
  std::vector<double> sums(static_cast<size_t>(element_count(kept))), y = doubles(x);
  for (size_t i = 0; i < y.size(); ++i) sums[static_cast<size_t>(group.offset(i))] += std::exp(y[i]);
  for (size_t i = 0; i < y.size(); ++i) {
    const double result = y[i] - std::log(sums[static_cast<size_t>(group.offset(i))]);
    y[i] = log ? result : std::exp(result);
  }
  return y;
}

TEST(Softmax, EveryAxisOldAndNew) {
  std::mt19937 generator(2);
  const Tensor x = random_tensor(generator, {2, 3, 4, 5}, -3, 3);
  for (const bool log : {false, true}) {
    const char* op = log ? "LogSoftmax" : "Softmax";
    for (size_t axis = 0; axis < 4; ++axis) {
      const auto number = static_cast<int64_t>(axis);
      const std::vector<double> one = softmax_oracle(x, axis, axis + 1, log), rest = softmax_oracle(x, axis, 4, log);
      expect_close(OpCase(op, 13).attribute("axis", number - 4).run({x}), x.shape(), one);
      expect_close(OpCase(op, 13).attribute("axis", number).run({x.to(DType::kFloat64)}), x.shape(), one, 1e-6);
      expect_close(OpCase(op, 11).attribute("axis", number).run({x}), x.shape(), rest);
    }
    expect_close(OpCase(op, 13).run({x}), x.shape(), softmax_oracle(x, 3, 4, log));
    expect_close(OpCase(op, 1).run({x}), x.shape(), softmax_oracle(x, 1, 4, log));
  }
}

TEST(Softmax, LargeValuesAndHalves) {
  expect_close(OpCase("Softmax").run({floats({2}, {1000, 1000})}), {2}, {0.5, 0.5});
  expect_close(OpCase("Softmax").run({floats({2}, {3, 3}).to(DType::kFloat16)}), {2}, {0.5, 0.5});
  EXPECT_EQ(OpCase("Softmax").run({Tensor({2, 0})}).shape(), (Shape{2, 0}));
}

TEST(Softmax, RefusesWhatDoesNotFit) {
  EXPECT_EQ(OpCase("Softmax").attribute("axis", 2).error({Tensor({2, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Softmax").error({int64s({1})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
