#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

std::vector<std::string> after(std::vector<model::Attribute> first, std::vector<model::Attribute> second) {
  const auto model = ModelBuilder()
                         .input("x", {"n", 3, 4})
                         .output("y")
                         .node("Relu", {"x"}, {"a"})
                         .node("Transpose", {"a"}, {"b"}, std::move(first))
                         .node("Transpose", {"b"}, {"c"}, std::move(second))
                         .node("Neg", {"c"}, {"y"})
                         .build();
  return operators(optimized(model, {{"x", random_tensor({2, 3, 4})}}, GraphOptimizationLevel::kBasic));
}
std::vector<model::Attribute> perm(std::vector<int64_t> values) { return {model::Attribute::of("perm", std::move(values))}; }

TEST(MergeTransposes, IntoOneOrNone) {
  EXPECT_THAT(after(perm({1, 2, 0}), perm({0, 2, 1})), ElementsAre("Relu", "Transpose", "Neg"));
  EXPECT_THAT(after(perm({1, 2, 0}), perm({2, 0, 1})), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(after({}, {}), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(after({}, perm({1, 2, 0})), ElementsAre("Relu", "Transpose", "Neg"));
}

}  // namespace
}  // namespace sardonyx::optimize
