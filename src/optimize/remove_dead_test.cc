#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

TEST(RemoveDead, RemovesDeadChains) {
  const auto model = ModelBuilder()
                         .input("x", {2})
                         .output("y")
                         .constant("w", random_tensor({2}))
                         .node("Add", {"x", "w"}, {"a"})
                         .node("Neg", {"a"}, {"b"})
                         .node("Abs", {"b"}, {"c"})
                         .node("Relu", {"x"}, {"y"})
                         .build();
  const auto after = optimized(model, {{"x", random_tensor({2})}});
  EXPECT_THAT(operators(after), ElementsAre("Relu"));
  EXPECT_TRUE(after.graph.initializer.empty());
}

}  // namespace
}  // namespace sardonyx::optimize
