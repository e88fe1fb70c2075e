#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

TEST(Hardmax, OldAndNewAxes) {
  const Tensor x = floats({2, 2, 2}, {1, 5, 5, 0, -1, -2, -3, -1});
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    expect_close(OpCase("Hardmax", 13).run({x.to(dtype)}), {2, 2, 2}, {0, 1, 1, 0, 1, 0, 0, 1});
    expect_close(OpCase("Hardmax", 13).attribute("axis", 1).run({x.to(dtype)}), {2, 2, 2}, {0, 1, 1, 0, 1, 0, 0, 1});
    expect_close(OpCase("Hardmax", 11).run({x.to(dtype)}), {2, 2, 2}, {0, 1, 0, 0, 1, 0, 0, 0});
  }
  expect_close(OpCase("Hardmax").run({floats({3}, {1, std::nanf(""), 9})}), {3}, {0, 1, 0});
  EXPECT_EQ(OpCase("Hardmax").error({int64s({1})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
