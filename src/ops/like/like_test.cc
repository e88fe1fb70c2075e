#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

OpCase like(std::string op_type) { return OpCase(std::move(op_type), 1, "ai.sardonyx"); }

const Tensor kTwoByThree = floats({2, 3}, {1, 2, 3, 4, 5, 6});

TEST(Like, FilledHasTypeAndShape) {
  expect_close(like("FilledLike").attribute("value", 2.5F).run({Tensor({2, 2}, DType::kFloat64)}), {2, 2}, {2.5, 2.5, 2.5, 2.5});
  EXPECT_EQ(like("FilledLike").run({Tensor({1}, DType::kFloat16)}).dtype(), DType::kFloat16);
}

TEST(Like, SumUndoesBroadcasting) {
  expect_close(like("SumLike").run({kTwoByThree, Tensor({3})}), {3}, {5, 7, 9});
  expect_close(like("SumLike").run({kTwoByThree, Tensor({2, 1})}), {2, 1}, {6, 15});
  expect_close(like("SumLike").run({kTwoByThree, Tensor(Shape{})}), {}, {21});
  expect_close(like("SumLike").run({kTwoByThree, Tensor({2, 3})}), {2, 3}, {1, 2, 3, 4, 5, 6});
  expect_close(like("SumLike").attribute("mean", 1).run({kTwoByThree, Tensor({1, 1})}), {1, 1}, {3.5});
  expect_close(like("SumLike").attribute("scale", 2.0F).run({kTwoByThree.to(DType::kFloat16), Tensor({2, 1})}), {2, 1}, {12, 30});
  EXPECT_EQ(like("SumLike").error({kTwoByThree, Tensor({4})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(like("SumLike").error({Tensor({3}), kTwoByThree}).first, ErrorCode::kInvalidArgument);
}

TEST(Like, ExpandIsItsOpposite) {
  expect_close(like("ExpandLike").run({floats({3}, {1, 2, 3}), kTwoByThree}), {2, 3}, {1, 2, 3, 1, 2, 3});
  expect_close(like("ExpandLike").attribute("mean", 1).run({floats({1, 1}, {12}), kTwoByThree}), {2, 3}, {2, 2, 2, 2, 2, 2});
  EXPECT_EQ(like("ExpandLike").error({kTwoByThree, Tensor({3})}).first, ErrorCode::kInvalidArgument);
}

TEST(Like, ShapesAreTakenOver) {
  expect_close(like("ReshapeLike").run({kTwoByThree, Tensor({6})}), {6}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(like("ReshapeLike").error({kTwoByThree, Tensor({5})}).first, ErrorCode::kInvalidArgument);
  expect_close(like("KeepDimsLike").ints("axes", {-1}).run({floats({2}, {1, 2}), kTwoByThree}), {2, 1}, {1, 2});
  expect_close(like("KeepDimsLike").run({floats({}, {1}), kTwoByThree}), {1, 1}, {1});
  expect_close(like("KeepDimsLike").run({floats({3}, {1, 2, 3}), kTwoByThree, int64s({0})}), {1, 3}, {1, 2, 3});
  EXPECT_EQ(like("KeepDimsLike").attribute("noop_with_empty_axes", 1).run({kTwoByThree, kTwoByThree}).shape(), (Shape{2, 3}));
}

TEST(Like, MatricesOfVectors) {
  EXPECT_EQ(like("MatrixOperand").attribute("side", 0).run({Tensor({4})}).shape(), (Shape{1, 4}));
  EXPECT_EQ(like("MatrixOperand").attribute("side", 1).run({Tensor({4})}).shape(), (Shape{4, 1}));
  EXPECT_EQ(like("MatrixOperand").run({kTwoByThree}).shape(), (Shape{2, 3}));
  EXPECT_EQ(like("MatrixResult").run({Tensor({5}), Tensor({3}), Tensor({3, 5})}).shape(), (Shape{1, 5}));
  EXPECT_EQ(like("MatrixResult").run({Tensor({2}), Tensor({2, 3}), Tensor({3})}).shape(), (Shape{2, 1}));
  EXPECT_EQ(like("MatrixResult").run({Tensor(Shape{}), Tensor({3}), Tensor({3})}).shape(), (Shape{1, 1}));
  EXPECT_EQ(like("MatrixResult").run({Tensor({7, 2}), Tensor({7, 2, 3}), Tensor({3})}).shape(), (Shape{7, 2, 1}));
  expect_close(like("SwapLast").run({kTwoByThree}), {3, 2}, {1, 4, 2, 5, 3, 6});
  EXPECT_EQ(like("SwapLast").error({Tensor({2})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
