#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

ModelBuilder start() {
  ModelBuilder builder;
  builder.input("x", {"n", 1, 4})
      .output("y")
      .constant("same", Tensor::of<int64_t>({3}, {-1, 1, 4}))
      .constant("ones", Tensor::ones({3}, DType::kInt64));
  builder.constant("begin", Tensor::of<int64_t>({1}, {0}))
      .constant("end", Tensor::of<int64_t>({1}, {99}))
      .constant("axis", Tensor::of<int64_t>({1}, {2}));
  builder.constant("back", Tensor::of<int64_t>({1}, {-1}))
      .constant("last", Tensor::of<int64_t>({1}, {3}))
      .constant("before", Tensor::of<int64_t>({1}, {-99}));
  builder.constant("shift", Tensor::of<int64_t>({6}, {0, 0, 1, 0, 0, -1})).constant("none", Tensor::zeros({6}, DType::kInt64));
  return builder;
}
// What is left of a node between two others.
std::vector<std::string> after(ModelBuilder builder, const char* op_type, std::vector<std::string> inputs,
                               std::vector<model::Attribute> attributes = {}) {
  for (std::string& input : inputs) input = input == "x" ? "a" : input;
  builder.node("Relu", {"x"}, {"a"}).node(op_type, std::move(inputs), {"b"}, std::move(attributes)).node("Neg", {"b"}, {"y"});
  return operators(optimized(builder.build(), {{"x", random_tensor({2, 1, 4})}}, GraphOptimizationLevel::kBasic));
}

TEST(RemoveNoOps, ByShape) {
  EXPECT_THAT(after(start(), "Reshape", {"x", "same"}), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(after(start(), "Expand", {"x", "ones"}), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(after(start(), "Tile", {"x", "ones"}), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(after(start(), "Slice", {"x", "begin", "end", "axis"}), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(after(start(), "Pad", {"x", "none"}), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(after(start(), "Concat", {"x"}, {model::Attribute::of("axis", 0)}), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(after(start(), "Transpose", {"x"}, {model::Attribute::of("perm", std::vector<int64_t>{0, 1, 2})}),
              ElementsAre("Relu", "Neg"));
  EXPECT_THAT(after(start(), "Cast", {"x"}, {model::Attribute::of("to", 1)}), ElementsAre("Relu", "Neg"));
}

TEST(RemoveNoOps, KeepsWhatMovesElements) {
  EXPECT_THAT(after(start(), "Slice", {"x", "last", "before", "axis", "back"}), ElementsAre("Relu", "Slice", "Neg"));
  EXPECT_THAT(after(start(), "Pad", {"x", "shift"}), ElementsAre("Relu", "Pad", "Neg"));
  EXPECT_THAT(after(start(), "Transpose", {"x"}, {model::Attribute::of("perm", std::vector<int64_t>{1, 0, 2})}),
              ElementsAre("Relu", "Transpose", "Neg"));
  EXPECT_THAT(after(start().input("s", {3}, DType::kInt64).constant("s", Tensor::of<int64_t>({3}, {2, 1, 4})), "Reshape", {"x", "s"}),
              ElementsAre("Relu", "Reshape", "Neg"));
}

}  // namespace
}  // namespace sardonyx::optimize
