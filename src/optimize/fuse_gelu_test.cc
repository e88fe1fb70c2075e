#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

ModelBuilder start(int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.input("x", {"n", 5}).output("y");
  const auto number = [&](const char* name, float value) { builder.constant(name, Tensor::scalar(value)); };
  number("half", 0.5f), number("one", 1), number("two", 2), number("three", 3), number("root", 1.41421356f), number("inverse", 0.70710678f);
  number("cubic", 0.044715f), number("factor", 0.79788456f);
  return builder;
}
const Feeds& feeds() {
  static const Feeds values = {{"x", Tensor::of<float>({2, 5}, {-6, -2, -0.5f, -0.0f, 0, 0.1f, 1, 2.5f, 4, 90})}};
  return values;
}
std::vector<std::string> after(const ModelBuilder& builder) {
  return operators(optimized(builder.build(), feeds(), GraphOptimizationLevel::kAll, 2e-6f));
}

TEST(FuseGelu, FactorsInAnyOrder) {
  const auto erf = [] {
    ModelBuilder builder = start();
    builder.node("Div", {"x", "root"}, {"d"}).node("Erf", {"d"}, {"e"}).node("Add", {"one", "e"}, {"a"});
    return builder;
  };
  EXPECT_THAT(after(erf().node("Mul", {"x", "a"}, {"m"}).node("Mul", {"m", "half"}, {"y"})), ElementsAre("Gelu"));
  EXPECT_THAT(after(erf().node("Mul", {"half", "x"}, {"m"}).node("Mul", {"a", "m"}, {"y"})), ElementsAre("Gelu"));
  EXPECT_THAT(after(erf().node("Mul", {"half", "a"}, {"m"}).node("Mul", {"m", "x"}, {"y"})), ElementsAre("Gelu"));
  EXPECT_THAT(after(erf().node("Mul", {"x", "a"}, {"m"}).node("Div", {"m", "two"}, {"y"})), ElementsAre("Gelu"));
  EXPECT_THAT(after(start()
                        .node("Mul", {"inverse", "x"}, {"d"})
                        .node("Erf", {"d"}, {"e"})
                        .node("Mul", {"x", "half"}, {"h"})
                        .node("Mul", {"h", "e"}, {"g"})
                        .node("Add", {"g", "h"}, {"y"})),
              ElementsAre("Gelu"));
}

TEST(FuseGelu, ByTanh) {
  const auto tanh = [](ModelBuilder builder) {
    builder.node("Mul", {"p", "cubic"}, {"c"}).node("Add", {"x", "c"}, {"s"}).node("Mul", {"factor", "s"}, {"t"});
    builder.node("Tanh", {"t"}, {"g"}).node("Add", {"g", "one"}, {"a"}).node("Mul", {"x", "half"}, {"h"}).node("Mul", {"h", "a"}, {"y"});
    return builder;
  };
  EXPECT_THAT(after(tanh(start().node("Pow", {"x", "three"}, {"p"}))), ElementsAre("FastGelu"));
  EXPECT_THAT(after(tanh(start().node("Mul", {"x", "x"}, {"q"}).node("Mul", {"q", "x"}, {"p"}))), ElementsAre("FastGelu"));
  EXPECT_THAT(after(start()
                        .node("Mul", {"x", "x"}, {"q"})
                        .node("Mul", {"q", "cubic"}, {"c"})
                        .node("Add", {"c", "one"}, {"s"})
                        .node("Mul", {"factor", "x"}, {"f"})
                        .node("Mul", {"f", "s"}, {"t"})
                        .node("Tanh", {"t"}, {"g"})
                        .node("Add", {"g", "one"}, {"a"})
                        .node("Mul", {"half", "a"}, {"h"})
                        .node("Mul", {"h", "x"}, {"y"})),
              ElementsAre("FastGelu"));
}

TEST(FuseGelu, TakesTheOperatorOfItsOpset) {
  const auto model = start(20)
                         .node("Div", {"x", "root"}, {"d"})
                         .node("Erf", {"d"}, {"e"})
                         .node("Add", {"one", "e"}, {"a"})
                         .node("Mul", {"x", "a"}, {"m"})
                         .node("Mul", {"m", "half"}, {"y"})
                         .build();
  const auto result = optimized(model, feeds(), GraphOptimizationLevel::kAll, 2e-6f);
  ASSERT_THAT(operators(result), ElementsAre("Gelu"));
  EXPECT_EQ(result.graph.node[0].domain, "");
}

TEST(FuseGelu, LeavesWhatOnlyLooksAlike) {
  const auto with = [](const char* divisor, const char* factor) {
    return after(start()
                     .node("Div", {"x", divisor}, {"d"})
                     .node("Erf", {"d"}, {"e"})
                     .node("Add", {"one", "e"}, {"a"})
                     .node("Mul", {"x", "a"}, {"m"})
                     .node("Mul", {"m", factor}, {"y"}));
  };
  EXPECT_THAT(with("two", "half"), Contains("Erf"));
  EXPECT_THAT(with("root", "one"), Contains("Erf"));
}

TEST(FuseGelu, TellsWhyNot) {
  auto model = start()
                   .output("e")
                   .node("Div", {"x", "root"}, {"d"})
                   .node("Erf", {"d"}, {"e"})
                   .node("Add", {"one", "e"}, {"a"})
                   .node("Mul", {"x", "a"}, {"m"})
                   .node("Mul", {"m", "half"}, {"y"})
                   .build();
  const auto reports = optimize(model, GraphOptimizationLevel::kAll);
  const auto report = std::ranges::find(reports, "fuse_gelu", &PassReport::name);
  ASSERT_EQ(report->refusals.size(), 1U);
  EXPECT_THAT(report->refusals[0], HasSubstr("'e' inside the expression is read elsewhere"));
}

}  // namespace
}  // namespace sardonyx::optimize
