#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;

TEST(MergeEqualNodes, MergesEqualNodesOnly) {
  const auto model = ModelBuilder()
                         .input("x", {2})
                         .output("y")
                         .node("LeakyRelu", {"x"}, {"a"}, {Attribute::of("alpha", 0.5f)})
                         .node("LeakyRelu", {"x"}, {"b"}, {Attribute::of("alpha", 0.5f)})
                         .node("LeakyRelu", {"x"}, {"c"}, {Attribute::of("alpha", 0.25f)})
                         .node("Add", {"a", "b"}, {"ab"})
                         .node("Add", {"ab", "c"}, {"y"})
                         .build();
  const auto after = optimized(model, {{"x", random_tensor({2})}});
  EXPECT_EQ(std::ranges::count(operators(after), "LeakyRelu"), 2);
}

}  // namespace
}  // namespace sardonyx::optimize
