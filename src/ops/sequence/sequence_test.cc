#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

Tensor sequence(std::vector<Tensor> items) { return Tensor::of_tensors(std::move(items)); }
Tensor position(int64_t value) { return Tensor::scalar<int64_t>(value); }

// The first element of each item.
std::vector<double> firsts(const Tensor& value) {
  std::vector<double> result;
  for (const Tensor& item : value.tensors()) result.push_back(doubles(item).at(0));
  return result;
}

const Tensor kA = floats({1}, {1}), kB = floats({2}, {2, 3}), kC = floats({1}, {4});

std::string refusal(OpCase c, const std::vector<Tensor>& inputs) {
  const auto [code, text] = c.error(inputs);
  EXPECT_EQ(code, ErrorCode::kInvalidArgument);
  return text;
}

TEST(Sequence, IsMadeAndRead) {
  EXPECT_TRUE(OpCase("SequenceEmpty", 11).run({}).tensors().empty());
  const Tensor three = OpCase("SequenceConstruct", 11).run({kA, kB, kC});
  EXPECT_EQ(firsts(three), (std::vector<double>{1, 2, 4}));
  expect_close(OpCase("SequenceAt", 11).run({three, position(1)}), {2}, {2, 3});
  expect_close(OpCase("SequenceAt", 11).run({three, Tensor::scalar<int32_t>(-1)}), {1}, {4});
  EXPECT_EQ(OpCase("SequenceLength", 11).run({three}).item<int64_t>(), 3);
  for (const int64_t outside : {3, -4}) {
    EXPECT_THAT(refusal(OpCase("SequenceAt", 11), {three, position(outside)}), HasSubstr("outside [-3, 3)"));
  }
  EXPECT_THAT(refusal(OpCase("SequenceConstruct", 11), {kA, Tensor({1}, DType::kInt64)}), HasSubstr("one type"));
  EXPECT_THAT(refusal(OpCase("SequenceLength", 11), {kA}), HasSubstr("must be a sequence"));
}

TEST(Sequence, GrowsAndShrinks) {
  const Tensor two = sequence({kA, kB});
  EXPECT_EQ(firsts(OpCase("SequenceInsert", 11).run({two, kC})), (std::vector<double>{1, 2, 4}));
  EXPECT_EQ(firsts(OpCase("SequenceInsert", 11).run({two, kC, position(-2)})), (std::vector<double>{4, 1, 2}));
  EXPECT_EQ(firsts(OpCase("SequenceInsert", 11).run({two, kC, position(2)})), (std::vector<double>{1, 2, 4}));
  EXPECT_EQ(firsts(OpCase("SequenceInsert", 11).run({sequence({}), kC})), (std::vector<double>{4}));
  EXPECT_EQ(firsts(OpCase("SequenceErase", 11).run({two})), (std::vector<double>{1}));
  EXPECT_EQ(firsts(OpCase("SequenceErase", 11).run({two, position(0)})), (std::vector<double>{2}));
  EXPECT_THAT(refusal(OpCase("SequenceInsert", 11), {two, kC, position(3)}), HasSubstr("outside"));
  EXPECT_THAT(refusal(OpCase("SequenceInsert", 11), {two, Tensor({1}, DType::kInt8)}), HasSubstr("one type"));
  EXPECT_THAT(refusal(OpCase("SequenceErase", 11), {sequence({})}), HasSubstr("nothing to erase"));
  EXPECT_EQ(firsts(two), (std::vector<double>{1, 2}));
}

TEST(Sequence, SplitsATensor) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor rows = OpCase("SplitToSequence", 11).run({x});
  ASSERT_EQ(rows.tensors().size(), 2U);
  expect_close(rows.tensors()[1], {1, 3}, {4, 5, 6});
  const Tensor columns = OpCase("SplitToSequence", 11).attribute("axis", -1).attribute("keepdims", 0).run({x});
  ASSERT_EQ(columns.tensors().size(), 3U);
  expect_close(columns.tensors()[2], {2}, {3, 6});
  const Tensor chunks = OpCase("SplitToSequence", 11).attribute("axis", 1).run({x, position(2)});
  expect_close(chunks.tensors()[0], {2, 2}, {1, 2, 4, 5});
  expect_close(chunks.tensors()[1], {2, 1}, {3, 6});
  const Tensor parts = OpCase("SplitToSequence", 11).attribute("axis", 1).attribute("keepdims", 0).run({x, int64s({0, 3})});
  EXPECT_EQ(parts.tensors()[0].shape(), (Shape{2, 0}));
  expect_close(parts.tensors()[1], {2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor words = OpCase("SplitToSequence", 11).run({Tensor::of_strings({2}, {"a", "b"})});
  EXPECT_EQ(words.tensors()[1].strings()[0], "b");
  for (const Tensor& split : {position(0), position(-1), int64s({4}), int64s({1, 1}), int64s({-1, 3}), int64s({3, 3})}) {
    EXPECT_THAT(refusal(OpCase("SplitToSequence", 11).attribute("axis", 1), {x, split}), HasSubstr("split"));
  }
}

TEST(Sequence, IsJoined) {
  const Tensor items = sequence({floats({1, 2}, {1, 2}), floats({1, 2}, {3, 4})});
  expect_close(OpCase("ConcatFromSequence", 11).attribute("axis", 0).run({items}), {2, 2}, {1, 2, 3, 4});
  expect_close(OpCase("ConcatFromSequence", 11).attribute("axis", -1).attribute("new_axis", 1).run({items}), {1, 2, 2}, {1, 3, 2, 4});
  EXPECT_THAT(refusal(OpCase("ConcatFromSequence", 11).attribute("axis", 0), {sequence({})}), HasSubstr("empty"));
  EXPECT_THAT(refusal(OpCase("ConcatFromSequence", 11).attribute("axis", 2), {items}), HasSubstr("axis 2"));
  EXPECT_THAT(refusal(OpCase("ConcatFromSequence", 11).attribute("axis", 0).attribute("new_axis", 1), {sequence({kA, items.tensors()[0]})}),
              HasSubstr("rank"));
}

TEST(Optional, HoldsAValueOrNone) {
  expect_close(OpCase("Optional", 15).run({kB}), {2}, {2, 3});
  EXPECT_FALSE(OpCase("Optional", 15).run({}).defined());
  EXPECT_TRUE(OpCase("OptionalHasElement", 18).run({kA}).item<bool>());
  EXPECT_TRUE(OpCase("OptionalHasElement", 18).run({sequence({})}).item<bool>());
  EXPECT_FALSE(OpCase("OptionalHasElement", 18).run({Tensor()}).item<bool>());
  EXPECT_FALSE(OpCase("OptionalHasElement", 18).run({}).item<bool>());
  EXPECT_EQ(firsts(OpCase("OptionalGetElement", 18).run({sequence({kA, kC})})), (std::vector<double>{1, 4}));
  EXPECT_THAT(refusal(OpCase("OptionalGetElement", 18), {Tensor()}), HasSubstr("empty"));
}

}  // namespace
}  // namespace sardonyx::ops
