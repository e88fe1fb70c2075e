#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

OpCase flex(std::string op_type) { return OpCase(std::move(op_type), 1, "ai.sardonyx"); }

TEST(FlexAttention, QueriesAreWidenedAndScaled) {
  const Tensor q = floats({1, 1, 1, 4}, {2, 4, 6, 8});
  expect_close(flex("FlexQuery").run({q}), {1, 1, 1, 4}, {1, 2, 3, 4});
  EXPECT_EQ(flex("FlexQuery").run({q.to(DType::kFloat16)}).dtype(), DType::kFloat32);
  EXPECT_EQ(flex("FlexQuery").run({q.to(DType::kFloat64)}).dtype(), DType::kFloat64);
  const Tensor narrow = flex("FlexQuery").attribute("scale", 3.0F).attribute("softmax_precision", 10).run({q});
  EXPECT_EQ(narrow.dtype(), DType::kFloat16);
  expect_close(narrow, {1, 1, 1, 4}, {6, 12, 18, 24});
  EXPECT_EQ(flex("FlexQuery").error({floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(flex("FlexQuery").error({Tensor({1, 1, 1, 0})}).first, ErrorCode::kInvalidArgument);
}

TEST(FlexAttention, HeadsAreRepeatedForTheirQueries) {
  const Tensor x = floats({1, 2, 1, 2}, {1, 2, 3, 4});
  expect_close(flex("FlexHeads").run({x, Tensor({1, 4, 3, 2})}), {1, 4, 1, 2}, {1, 2, 1, 2, 3, 4, 3, 4});
  expect_close(flex("FlexHeads").run({x.to(DType::kFloat16), Tensor({1, 2, 3, 2}, DType::kFloat16)}), {1, 2, 1, 2}, {1, 2, 3, 4});
  EXPECT_EQ(flex("FlexHeads").error({x, Tensor({1, 3, 3, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(flex("FlexHeads").error({x, Tensor({2, 2, 3, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(flex("FlexHeads").error({Tensor({1, 0, 1, 2}), Tensor({1, 2, 3, 2})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
