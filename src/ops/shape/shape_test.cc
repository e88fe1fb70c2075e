#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;

TEST(Shape, StartAndEnd) {
  const Tensor x({2, 3, 4}, DType::kInt4);
  const auto shape = [&](int64_t start, int64_t end) {
    return doubles(OpCase("Shape").attribute("start", start).attribute("end", end).run({x}));
  };
  EXPECT_THAT(doubles(OpCase("Shape", 1).run({x})), ElementsAre(2, 3, 4));
  EXPECT_THAT(shape(1, 2), ElementsAre(3));
  EXPECT_THAT(shape(-2, 100), ElementsAre(3, 4));
  EXPECT_THAT(shape(0, -1), ElementsAre(2, 3));
  EXPECT_THAT(shape(2, 1), ElementsAre());
  EXPECT_EQ(OpCase("Shape").run({Tensor::scalar(1.0f)}).shape(), (Shape{0}));
}

TEST(Size, Counts) {
  EXPECT_EQ(OpCase("Size").run({Tensor({2, 3})}).item<int64_t>(), 6);
  EXPECT_EQ(OpCase("Size").run({Tensor({2, 0})}).item<int64_t>(), 0);
}

TEST(Shape, IsKnownWhenBound) {
  model::Node node;
  node.op_type = "Shape";
  node.input = {"x"};
  node.output = {"y"};
  const std::vector<const Tensor*> none(1);
  const std::vector<ValueFacts> facts = {{DType::kFloat32, {5, 7}, nullptr}};
  const auto bound = prepare({node, 22, none})->bind({facts, 1});
  ASSERT_NE(bound->outputs.at(0).constant, nullptr);
  EXPECT_THAT(bound->outputs[0].constant->values<int64_t>(), ElementsAre(5, 7));
}

}  // namespace
}  // namespace sardonyx::ops
