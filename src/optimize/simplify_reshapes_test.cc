#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

ModelBuilder start() {
  ModelBuilder builder;
  builder.input("x", {"n", 3, 4}).output("y").constant("zero", Tensor::scalar<int64_t>(0)).constant("first", Tensor::of<int64_t>({1}, {0}));
  builder.constant("last", Tensor::of<int64_t>({2}, {2, 6})).constant("flat", Tensor::of<int64_t>({2}, {0, -1}));
  return builder;
}
std::vector<std::string> after(const ModelBuilder& builder) {
  return operators(optimized(builder.build(), {{"x", random_tensor({2, 3, 4})}}, GraphOptimizationLevel::kBasic));
}

TEST(SimplifyReshapes, ToAComputedShape) {
  EXPECT_THAT(after(start()
                        .node("Shape", {"x"}, {"s"})
                        .node("Gather", {"s", "zero"}, {"n"})
                        .node("Unsqueeze", {"n", "first"}, {"m"})
                        .node("Concat", {"m", "last"}, {"t"}, {model::Attribute::of("axis", 0)})
                        .node("Reshape", {"x", "t"}, {"y"})),
              ElementsAre("Reshape"));
}

TEST(SimplifyReshapes, OfReshapes) {
  EXPECT_THAT(after(start().node("Reshape", {"x", "flat"}, {"a"}).node("Unsqueeze", {"a", "first"}, {"b"}).node("Neg", {"b"}, {"y"})),
              ElementsAre("Reshape", "Neg"));
  EXPECT_THAT(after(start().node("Unsqueeze", {"x", "first"}, {"a"}).node("Squeeze", {"a", "first"}, {"b"}).node("Neg", {"b"}, {"y"})),
              ElementsAre("Neg"));
}

TEST(SimplifyReshapes, TwoUnknownSizes) {
  const auto model = ModelBuilder()
                         .input("x", {"n", "m", 4})
                         .output("y")
                         .node("Shape", {"x"}, {"s"})
                         .node("Flatten", {"x"}, {"f"})
                         .node("Reshape", {"f", "s"}, {"a"})
                         .node("Neg", {"a"}, {"y"})
                         .build();
  EXPECT_THAT(operators(optimized(model, {{"x", random_tensor({2, 3, 4})}}, GraphOptimizationLevel::kBasic)), ElementsAre("Neg"));
  const auto other = ModelBuilder()
                         .input("x", {"n", "m", 4})
                         .input("z", {"m", "n", 4})
                         .output("y")
                         .node("Shape", {"z"}, {"s"})
                         .node("Reshape", {"x", "s"}, {"y"})
                         .build();
  const Feeds feeds = {{"x", random_tensor({2, 3, 4})}, {"z", random_tensor({3, 2, 4})}};
  EXPECT_THAT(operators(optimized(other, feeds, GraphOptimizationLevel::kBasic)), ElementsAre("Shape", "Reshape"));
}

}  // namespace
}  // namespace sardonyx::optimize
