#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

TEST(LpPool, NormsOfWindows) {
  const Tensor x = floats({1, 1, 4}, {3, -4, 0, 1});
  expect_close(OpCase("LpPool", 18).ints("kernel_shape", {2}).run({x}), {1, 1, 3}, {5, 4, 1});
  expect_close(OpCase("LpPool", 18).ints("kernel_shape", {2}).attribute("p", 1).run({x}), {1, 1, 3}, {7, 4, 1});
  expect_close(OpCase("LpPool", 22).ints("kernel_shape", {2}).ints("dilations", {2}).attribute("p", 3).run({x}), {1, 1, 2},
               {3, std::cbrt(65.0)});
  expect_close(OpCase("LpPool", 1).ints("kernel_shape", {2}).ints("pads", {1, 0}).attribute("p", 1.0f).run({x}), {1, 1, 4}, {3, 7, 4, 1});
  expect_close(OpCase("LpPool", 18).ints("kernel_shape", {3}).ints("strides", {2}).attribute("ceil_mode", 1).run({x}), {1, 1, 2}, {5, 1});
  for (const DType dtype : {DType::kFloat64, DType::kFloat16}) {
    expect_close(OpCase("LpPool", 22).ints("kernel_shape", {2}).run({x.to(dtype)}), {1, 1, 3}, {5, 4, 1}, 1e-3);
    expect_close(OpCase("GlobalLpPool", 22).run({x.to(dtype)}), {1, 1, 1}, {std::sqrt(26.0)}, 1e-3);
  }
  expect_close(OpCase("GlobalLpPool", 2).attribute("p", 1).run({x}), {1, 1, 1}, {8});
  EXPECT_THAT(OpCase("LpPool", 18).ints("kernel_shape", {2}).attribute("p", 0).error({x}).second, HasSubstr("must be positive"));
}

// Pooling what was unpooled gives it back.
TEST(MaxUnpool, IsUndoneByMaxPool) {
  std::mt19937 generator(8);
  const Tensor x = random_tensor(generator, {2, 3, 6, 4}, 0.1f, 1);
  OpCase pool("MaxPool", 11), unpool("MaxUnpool", 11);
  for (OpCase* op : {&pool, &unpool}) op->ints("kernel_shape", {2, 2}).ints("strides", {2, 2});
  const std::vector<Tensor> pooled = pool.outputs({"y", "i"}).run_all({x});
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    const Tensor y = unpool.run({pooled[0].to(dtype), pooled[1]});
    EXPECT_EQ(y.shape(), x.shape());
    expect_close(pool.outputs({"y"}).run({y}), pooled[0].shape(), doubles(pooled[0]), 1e-3);
  }
  const Tensor one = floats({1, 1, 1, 1}, {5}), place = int64s({3}).reshape({1, 1, 1, 1});
  expect_close(unpool.run({one, place, int64s({1, 1, 3, 2})}), {1, 1, 3, 2}, {0, 0, 0, 5, 0, 0});
  EXPECT_THAT(unpool.error({one, int64s({4}).reshape({1, 1, 1, 1})}).second, HasSubstr("index 4 is outside"));
  EXPECT_THAT(unpool.error({one, place, int64s({1, 1, 1, 2})}).second, HasSubstr("must not be smaller"));
}

}  // namespace
}  // namespace sardonyx::ops
