#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

TEST(EyeLike, AnyDiagonalAndType) {
  const Tensor x({2, 3});
  expect_close(OpCase("EyeLike").run({x}), {2, 3}, {1, 0, 0, 0, 1, 0});
  for (const DType dtype : {DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kBool}) {
    OpCase node("EyeLike");
    const Tensor y = node.attribute("dtype", static_cast<int64_t>(dtype)).attribute("k", 1).run({x});
    EXPECT_EQ(y.dtype(), dtype);
    expect_close(y, {2, 3}, {0, 1, 0, 0, 0, 1});
  }
  expect_close(OpCase("EyeLike").attribute("k", -1).run({x}), {2, 3}, {0, 0, 0, 1, 0, 0});
  expect_close(OpCase("EyeLike").attribute("k", std::numeric_limits<int64_t>::min()).run({x}), {2, 3}, {0, 0, 0, 0, 0, 0});
  EXPECT_EQ(OpCase("EyeLike").error({Tensor({2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("EyeLike").attribute("dtype", 8).error({x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("EyeLike").attribute("dtype", 99).error({x}).first, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace sardonyx::ops
