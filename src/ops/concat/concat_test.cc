#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Concat, AnyAxisAnyType) {
  const Tensor a = floats({2, 1}, {1, 2}), b = floats({2, 2}, {3, 4, 5, 6});
  for (const DType dtype : {DType::kFloat32, DType::kInt8, DType::kFloat64, DType::kFloat16}) {
    const Tensor y = OpCase("Concat").attribute("axis", -1).run({a.to(dtype), b.to(dtype)});
    EXPECT_EQ(y.shape(), (Shape{2, 3}));
    EXPECT_THAT(doubles(y), ElementsAre(1, 3, 4, 2, 5, 6));
  }
  EXPECT_THAT(doubles(OpCase("Concat").attribute("axis", 0).run({b, b})), ElementsAre(3, 4, 5, 6, 3, 4, 5, 6));
  EXPECT_THAT(doubles(OpCase("Concat", 1).run({b, a, Tensor({2, 0})})), ElementsAre(3, 4, 1, 5, 6, 2));
  const Tensor text = Tensor::of_strings({1}, {"x"});
  EXPECT_THAT(OpCase("Concat").attribute("axis", 0).run({text, text}).strings(), ElementsAre("x", "x"));
}

TEST(Concat, RefusesWhatDoesNotFit) {
  const Tensor a({2, 3}), b({3, 3});
  EXPECT_EQ(OpCase("Concat").attribute("axis", 1).error({a, b}).first, ErrorCode::kInvalidArgument);
  EXPECT_THAT(OpCase("Concat").attribute("axis", 1).error({a, b}).second, HasSubstr("input 1 has shape [3, 3], input 0 has [2, 3]"));
  EXPECT_EQ(OpCase("Concat").error({a, a}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Concat").attribute("axis", 2).error({a, a}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Concat").attribute("axis", 0).error({a, Tensor({3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Concat").attribute("axis", 0).error({a, a.to(DType::kInt32)}).first, ErrorCode::kInvalidArgument);
}

TEST(Split, EveryForm) {
  const Tensor x = floats({2, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto check = [](const std::vector<Tensor>& parts) {
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[0].shape(), (Shape{2, 2}));
    EXPECT_THAT(doubles(parts[0]), ElementsAre(0, 1, 5, 6));
    EXPECT_THAT(doubles(parts[1]), ElementsAre(2, 3, 4, 7, 8, 9));
  };
  check(OpCase("Split", 13).attribute("axis", 1).outputs({"a", "b"}).run_all({x, int64s({2, 3})}));
  check(OpCase("Split", 11).attribute("axis", 1).ints("split", {2, 3}).outputs({"a", "b"}).run_all({x}));
  const std::vector<Tensor> uneven = OpCase("Split", 18).attribute("axis", -1).attribute("num_outputs", 2).outputs({"a", "b"}).run_all({x});
  EXPECT_EQ(uneven.at(0).shape(), (Shape{2, 3}));
  EXPECT_THAT(doubles(uneven.at(1)), ElementsAre(3, 4, 8, 9));
  const std::vector<Tensor> equal = OpCase("Split", 2).outputs({"a", "b"}).run_all({x});
  EXPECT_THAT(doubles(equal.at(1)), ElementsAre(5, 6, 7, 8, 9));
}

TEST(Split, RefusesWhatDoesNotFit) {
  const Tensor x({5});
  EXPECT_EQ(OpCase("Split", 13).outputs({"a", "b"}).error({x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Split", 13).outputs({"a", "b"}).error({x, int64s({2, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Split", 13).outputs({"a", "b"}).error({x, int64s({6, -1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Split", 13).outputs({"a", "b"}).error({x, int64s({5})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Split", 18).attribute("num_outputs", 3).outputs({"a", "b"}).error({x}).first, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace sardonyx::ops
