#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

ModelBuilder start() {
  ModelBuilder builder;
  builder.input("a", {"n", 3, 4})
      .input("b", {"n", 5, 4})
      .output("y")
      .constant("c", Tensor::scalar(0.3f))
      .constant("one", Tensor::full({1, 1, 1, 1}, 2));
  return builder;
}
const Feeds& feeds() {
  static const Feeds values = {{"a", random_tensor({2, 3, 4}, 1)}, {"b", random_tensor({2, 5, 4}, 2)}};
  return values;
}
model::Attribute perm(std::vector<int64_t> values) { return model::Attribute::of("perm", std::move(values)); }
std::vector<std::string> after(const ModelBuilder& builder) {
  return operators(optimized(builder.build(), feeds(), GraphOptimizationLevel::kAll, 2e-6f));
}

TEST(FuseMatMul, ReadsTransposedOperands) {
  EXPECT_THAT(after(start().node("Transpose", {"b"}, {"t"}, {perm({0, 2, 1})}).node("MatMul", {"a", "t"}, {"y"})),
              ElementsAre("FusedMatMul"));
  EXPECT_THAT(after(start()
                        .node("Transpose", {"b"}, {"t"}, {perm({0, 2, 1})})
                        .node("MatMul", {"a", "t"}, {"m"})
                        .node("Transpose", {"m"}, {"u"}, {perm({0, 2, 1})})
                        .node("MatMul", {"u", "a"}, {"y"})),
              ElementsAre("FusedMatMul", "FusedMatMul"));
  EXPECT_THAT(after(start()
                        .node("Transpose", {"b"}, {"t"}, {perm({2, 1, 0})})
                        .node("Transpose", {"t"}, {"u"}, {perm({2, 0, 1})})
                        .node("MatMul", {"a", "u"}, {"y"})),
              ElementsAre("FusedMatMul"));
}

TEST(FuseMatMul, ScalesItsResult) {
  const auto wide = [] { return start().node("Transpose", {"b"}, {"t"}, {perm({0, 2, 1})}); };
  EXPECT_THAT(after(wide().node("MatMul", {"a", "t"}, {"m"}).node("Mul", {"c", "m"}, {"y"})), ElementsAre("FusedMatMul"));
  EXPECT_THAT(after(wide().node("MatMul", {"a", "t"}, {"m"}).node("Div", {"m", "c"}, {"y"})), ElementsAre("FusedMatMul"));
  EXPECT_THAT(after(wide().node("Mul", {"a", "c"}, {"s"}).node("MatMul", {"s", "t"}, {"y"})), ElementsAre("FusedMatMul"));
  // A factor of higher rank, the product below a division.
  EXPECT_THAT(after(wide().node("MatMul", {"a", "t"}, {"m"}).node("Mul", {"m", "one"}, {"y"})), ElementsAre("FusedMatMul", "Mul"));
  EXPECT_THAT(after(wide().node("MatMul", {"a", "t"}, {"m"}).node("Div", {"c", "m"}, {"y"})), ElementsAre("FusedMatMul", "Div"));
}

TEST(FuseMatMul, LargeTransposedWeightsAreNotCopied) {
  const auto model = ModelBuilder()
                         .input("x", {"n", 3, 64})
                         .output("y")
                         .constant("w", random_tensor({128, 64}, 3))
                         .node("Transpose", {"w"}, {"t"})
                         .node("MatMul", {"x", "t"}, {"y"})
                         .build();
  const Feeds with = {{"x", random_tensor({2, 3, 64}, 1)}};
  const auto basic = optimized(model, with, GraphOptimizationLevel::kBasic);
  EXPECT_THAT(operators(basic), ElementsAre("FusedMatMul"));
  ASSERT_EQ(basic.graph.initializer.size(), 1U);
  EXPECT_EQ(basic.graph.initializer[0].name, "w");
}

}  // namespace
}  // namespace sardonyx::optimize
