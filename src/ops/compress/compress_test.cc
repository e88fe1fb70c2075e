#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kInt64, DType::kUInt64};

TEST(Compress, SlicesAndElements) {
  const Tensor x = floats({3, 2}, {1, 2, 3, 4, 5, 6});
  for (const DType dtype : kTypes) {
    expect_close(OpCase("Compress").attribute("axis", 0).run({x.to(dtype), Tensor::of<bool>({3}, {false, true, true})}), {2, 2},
                 {3, 4, 5, 6});
    expect_close(OpCase("Compress").attribute("axis", -1).run({x.to(dtype), Tensor::of<bool>({2}, {false, true})}), {3, 1}, {2, 4, 6});
    expect_close(OpCase("Compress").run({x.to(dtype), Tensor::of<bool>({5}, {false, true, false, false, true})}), {2}, {2, 5});
  }
  expect_close(OpCase("Compress").run_with_constants({x, Tensor::of<bool>({1}, {true})}, 0b10), {1}, {1});
  EXPECT_EQ(OpCase("Compress").run({x, Tensor::of<bool>({0}, {})}).shape(), (Shape{0}));
  const Tensor text = Tensor::of_strings({2}, {"a", "b"});
  EXPECT_THAT(OpCase("Compress").run({text, Tensor::of<bool>({2}, {false, true})}).strings(), ElementsAre("b"));
  OpCase node("Compress");
  EXPECT_THAT(node.attribute("axis", 1).error({x, Tensor::of<bool>({3}, {true, true, true})}).second, HasSubstr("slice 2"));
  EXPECT_EQ(OpCase("Compress").error({x, int64s({1})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
