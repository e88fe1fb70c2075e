#include "optimize/rule_testing.h"
#include "sardonyx/text.h"

namespace sardonyx::optimize {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// A graph from x to y of these nodes, in ONNX's text syntax.
model::Model model_of(const std::string& nodes, int64_t opset = 17) {
  return model::parse_text_model("<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + "]>\n" + R"(
      g (float[n,5] x) => (float[n,5] y)
      <float half = {0.5}, float one = {1}, float two = {2}, float three = {3}, float root = {1.41421356}, float inverse = {0.70710678},
       float cubic = {0.044715}, float factor = {0.79788456}>
      { )" + nodes + "\n}\n");
}
const Feeds& feeds() {
  static const Feeds values = {{"x", Tensor::of<float>({2, 5}, {-6, -2, -0.5f, -0.0f, 0, 0.1f, 1, 2.5f, 4, 90})}};
  return values;
}
std::vector<std::string> after(const std::string& nodes) {
  return operators(optimized(model_of(nodes), feeds(), GraphOptimizationLevel::kAll, 2e-6f));
}

const std::string kErf = "d = Div (x, root)  e = Erf (d)  a = Add (one, e)  ";

TEST(FuseGelu, FactorsInAnyOrder) {
  EXPECT_THAT(after(kErf + "m = Mul (x, a)     y = Mul (m, half)"), ElementsAre("Gelu"));
  EXPECT_THAT(after(kErf + "m = Mul (half, x)  y = Mul (a, m)"), ElementsAre("Gelu"));
  EXPECT_THAT(after(kErf + "m = Mul (half, a)  y = Mul (m, x)"), ElementsAre("Gelu"));
  EXPECT_THAT(after(kErf + "m = Mul (x, a)     y = Div (m, two)"), ElementsAre("Gelu"));
  EXPECT_THAT(after("d = Mul (inverse, x)  e = Erf (d)  h = Mul (x, half)  g = Mul (h, e)  y = Add (g, h)"), ElementsAre("Gelu"));
}

TEST(FuseGelu, ByTanh) {
  const std::string behind_power =
      "c = Mul (p, cubic)  s = Add (x, c)  t = Mul (factor, s)  g = Tanh (t)  a = Add (g, one)  h = Mul (x, half)  y = Mul (h, a)";
  EXPECT_THAT(after("p = Pow (x, three)  " + behind_power), ElementsAre("FastGelu"));
  EXPECT_THAT(after("q = Mul (x, x)  p = Mul (q, x)  " + behind_power), ElementsAre("FastGelu"));
  EXPECT_THAT(after("q = Mul (x, x)  c = Mul (q, cubic)  s = Add (c, one)  f = Mul (factor, x)  t = Mul (f, s)  g = Tanh (t)"
                    "a = Add (g, one)  h = Mul (half, a)  y = Mul (h, x)"),
              ElementsAre("FastGelu"));
}

TEST(FuseGelu, TakesTheOperatorOfItsOpset) {
  const model::Model model = model_of(kErf + "m = Mul (x, a)  y = Mul (m, half)", 20);
  const auto result = optimized(model, feeds(), GraphOptimizationLevel::kAll, 2e-6f);
  ASSERT_THAT(operators(result), ElementsAre("Gelu"));
  EXPECT_EQ(result.graph.node[0].domain, "");
}

TEST(FuseGelu, LeavesWhatOnlyLooksAlike) {
  EXPECT_THAT(after("d = Div (x, two)  e = Erf (d)  a = Add (one, e)  m = Mul (x, a)  y = Mul (m, half)"), Contains("Erf"));
  EXPECT_THAT(after(kErf + "m = Mul (x, a)  y = Mul (m, one)"), Contains("Erf"));
}

TEST(FuseGelu, TellsWhyNot) {
  model::Model model = model_of(kErf + "m = Mul (x, a)  y = Mul (m, half)");
  model.graph.output.push_back(model.graph.output[0]);
  model.graph.output.back().name = "e";
  const auto reports = optimize(model, GraphOptimizationLevel::kAll);
  const auto report = std::ranges::find(reports, "fuse_gelu", &PassReport::name);
  ASSERT_EQ(report->refusals.size(), 1U);
  EXPECT_THAT(report->refusals[0], HasSubstr("'e' inside the expression is read elsewhere"));
}

}  // namespace
}  // namespace sardonyx::optimize
