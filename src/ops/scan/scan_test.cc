#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt32,
                            DType::kInt64,   DType::kUInt32,  DType::kUInt64};

struct ScanCase {
  int64_t exclusive, reverse;
  std::vector<double> sums, products;
};

TEST(CumSum, EveryDirectionAndType) {
  const ScanCase cases[] = {
      {0, 0, {1, 2, 3, 5, 7, 9}, {1, 2, 3, 4, 10, 18}},
      {1, 0, {0, 0, 0, 1, 2, 3}, {1, 1, 1, 1, 2, 3}},
      {0, 1, {5, 7, 9, 4, 5, 6}, {4, 10, 18, 4, 5, 6}},
      {1, 1, {4, 5, 6, 0, 0, 0}, {4, 5, 6, 1, 1, 1}},
  };
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  for (const DType dtype : kTypes) {
    for (const ScanCase& one : cases) {
      OpCase sum("CumSum", 14), product("CumProd", 26);
      sum.attribute("exclusive", one.exclusive).attribute("reverse", one.reverse);
      product.attribute("exclusive", one.exclusive).attribute("reverse", one.reverse);
      expect_close(sum.run({x.to(dtype), Tensor::scalar<int64_t>(0)}), {2, 3}, one.sums);
      expect_close(product.run({x.to(dtype), Tensor::scalar<int32_t>(-2)}), {2, 3}, one.products);
      expect_close(sum.run_with_constants({x.to(dtype), int64s({0})}, 0b10), {2, 3}, one.sums);
    }
  }
}

TEST(CumSum, LongLines) {
  const Tensor x = Tensor::ones({2, 1300}, DType::kInt64);
  std::vector<double> forth(2600), back(2600);
  for (size_t i = 0; i < 2600; ++i) forth[i] = static_cast<double>(i % 1300 + 1), back[i] = static_cast<double>(1299 - i % 1300);
  expect_close(OpCase("CumSum").run({x, int64s({1})}), {2, 1300}, forth);
  expect_close(OpCase("CumSum").attribute("reverse", 1).attribute("exclusive", 1).run({x, int64s({1})}), {2, 1300}, back);
}

TEST(CumSum, RefusesWhatDoesNotFit) {
  const Tensor x({2});
  EXPECT_EQ(OpCase("CumSum").error({x, int64s({1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("CumSum").error({x, int64s({0, 0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("CumSum").error({x, floats({}, {0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("CumSum").error({Tensor::scalar(1.0f), int64s({0})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
