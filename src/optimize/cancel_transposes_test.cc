#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

// 'a', a transposed value, and 'b', made of it by the caller, to be transposed to 'y'.
std::vector<std::string> after(std::vector<int64_t> second, const std::function<void(ModelBuilder&)>& between) {
  ModelBuilder builder;
  builder.input("x", {"n", 3, 4}).output("y").constant("two", Tensor::scalar(2.0f)).constant("row", random_tensor({4}));
  builder.node("Transpose", {"x"}, {"a"}, {model::Attribute::of("perm", std::vector<int64_t>{0, 2, 1})});
  between(builder);
  builder.node("Transpose", {"b"}, {"y"}, {model::Attribute::of("perm", std::move(second))});
  return operators(optimized(builder.build(), {{"x", random_tensor({2, 3, 4})}}, GraphOptimizationLevel::kBasic));
}

TEST(CancelTransposes, AroundElementwiseOperators) {
  const auto between = [](ModelBuilder& b) { b.node("Relu", {"a"}, {"c"}).node("Mul", {"two", "c"}, {"d"}).node("Exp", {"d"}, {"b"}); };
  EXPECT_THAT(after({0, 2, 1}, between), ElementsAre("Relu", "Mul", "Exp"));
  EXPECT_THAT(after({2, 0, 1}, between), ElementsAre("Relu", "Mul", "Exp", "Transpose"));
}

TEST(CancelTransposes, NotAroundOthersOrWhereValuesAreReadTwice) {
  EXPECT_THAT(after({0, 2, 1}, [](ModelBuilder& b) { b.node("Softmax", {"a"}, {"b"}); }), ElementsAre("Transpose", "Softmax", "Transpose"));
  EXPECT_THAT(after({0, 2, 1}, [](ModelBuilder& b) { b.node("Relu", {"a"}, {"b"}).output("a"); }),
              ElementsAre("Transpose", "Relu", "Transpose"));
}

}  // namespace
}  // namespace sardonyx::optimize
