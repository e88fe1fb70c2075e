#include "optimize/evaluate.h"
#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(RemoveIdentity, RemovesIdentityAndKeepsNamesOfOutputs) {
  const auto model = ModelBuilder()
                         .input("x", {2})
                         .output("y")
                         .output("z")
                         .output("x2")
                         .node("Relu", {"x"}, {"a"})
                         .node("Identity", {"a"}, {"y"})
                         .node("Identity", {"y"}, {"z"})
                         .node("Identity", {"x"}, {"x2"})
                         .build();
  const auto after = optimized(model, {{"x", random_tensor({2})}});
  // The second copy of the same value and the copy of a graph input must stay.
  EXPECT_EQ(std::ranges::count(operators(after), "Identity"), 2);
}

TEST(RemoveIdentity, RemovesDropoutOutsideTraining) {
  const auto build = [](bool training) {
    return ModelBuilder()
        .input("x", {2})
        .output("y")
        .constant("ratio", Tensor::scalar(0.0f))
        .constant("mode", Tensor::scalar(training))
        .node("Dropout", {"x", "ratio", "mode"}, {"a"})
        .node("Neg", {"a"}, {"y"})
        .build();
  };
  EXPECT_THAT(operators(optimized(build(false), {{"x", random_tensor({2})}})), ElementsAre("Neg"));
  EXPECT_THAT(operators(optimized(build(true), {{"x", random_tensor({2})}})), ElementsAre("Dropout", "Neg"));
}

TEST(RemoveIdentity, OldDropoutIdlesInTestsOnly) {
  for (const int64_t is_test : {0, 1}) {
    ModelBuilder builder(6);
    builder.input("x", {2}).output("y").node("Dropout", {"x"}, {"a"}, {model::Attribute::of("is_test", is_test)}).node("Neg", {"a"}, {"y"});
    EXPECT_EQ(is_deterministic(builder.build().graph.node[0], 6), is_test != 0);
  }
}

}  // namespace
}  // namespace sardonyx::optimize
