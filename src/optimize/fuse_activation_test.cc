#include "optimize/product_cases.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;
using testing::ElementsAre;

TEST(FuseActivation, EveryFunctionAfterEveryProduct) {
  const std::vector<std::pair<std::string, std::vector<Attribute>>> functions = {{"Relu", {}},
                                                                                 {"LeakyRelu", {Attribute::of("alpha", 0.3f)}},
                                                                                 {"HardSigmoid", {Attribute::of("alpha", 0.1f)}},
                                                                                 {"HardSwish", {}},
                                                                                 {"Sigmoid", {}},
                                                                                 {"Tanh", {}}};
  for (const ProductCase& c : product_cases()) {
    for (const auto& [function, attributes] : functions) {
      const auto model = product_block(c, true).node(function, {"c"}, {"y"}, attributes).build();
      EXPECT_THAT(operators(optimized(model, feeds_of(c))), ElementsAre(c.fused_type)) << function;
    }
    for (const bool gate_first : {false, true}) {
      const std::vector<std::string> inputs = gate_first ? std::vector<std::string>{"s", "c"} : std::vector<std::string>{"c", "s"};
      const auto silu = product_block(c, true).node("Sigmoid", {"c"}, {"s"}).node("Mul", inputs, {"y"}).build();
      EXPECT_THAT(operators(optimized(silu, feeds_of(c), GraphOptimizationLevel::kAll, 1e-6f)), ElementsAre(c.fused_type));
      const auto hard = product_block(c, true)
                            .node("HardSigmoid", {"c"}, {"s"}, {Attribute::of("alpha", 1.0f / 6), Attribute::of("beta", 0.5f)})
                            .node("Mul", inputs, {"y"})
                            .build();
      EXPECT_THAT(operators(optimized(hard, feeds_of(c), GraphOptimizationLevel::kAll, 1e-6f)), ElementsAre(c.fused_type));
    }
  }
}

TEST(FuseActivation, Clip) {
  const ProductCase c = product_cases()[0];
  auto clip = product_block(c, true);
  clip.constant("low", Tensor::scalar(-0.5f)).constant("high", Tensor::scalar(0.5f)).node("Clip", {"c", "low", "high"}, {"y"});
  const auto after = optimized(clip.build(), feeds_of(c));
  EXPECT_THAT(operators(after), ElementsAre("FusedConv"));
  EXPECT_EQ(after.opset_version("ai.sardonyx"), 1);
  const auto upper = product_block(c, true).constant("high", Tensor::scalar(0.5f)).node("Clip", {"c", "", "high"}, {"y"}).build();
  EXPECT_THAT(operators(optimized(upper, feeds_of(c))), ElementsAre("FusedConv"));
  const auto old = product_block(c, true, 10).node("Clip", {"c"}, {"y"}, {Attribute::of("max", 0.25f)}).build();
  EXPECT_THAT(operators(optimized(old, feeds_of(c))), ElementsAre("FusedConv"));
  const auto fed = product_block(c, true).input("low", {}).node("Clip", {"c", "low"}, {"y"}).build();
  EXPECT_THAT(operators(optimized(fed, {feeds_of(c)[0], {"low", Tensor::scalar(0.0f)}})), ElementsAre("Conv", "Clip"));
}

TEST(FuseActivation, OthersMayReadTheProduct) {
  const ProductCase c = product_cases()[0];
  EXPECT_THAT(operators(optimized(product_block(c, true).output("c").node("Relu", {"c"}, {"y"}).build(), feeds_of(c))),
              ElementsAre("Conv", "Relu"));
  auto gate = product_block(c, true);  // the gate is a result itself
  gate.output("s").node("Sigmoid", {"c"}, {"s"}).node("Mul", {"c", "s"}, {"y"});
  EXPECT_THAT(operators(optimized(gate.build(), feeds_of(c))), ElementsAre("Conv", "Sigmoid", "Mul"));
}

TEST(FuseActivation, ProductsOfIntegersStay) {
  ModelBuilder builder;
  builder.input("x", {2, 3}, DType::kInt32).output("y", DType::kInt32).constant("w", Tensor::ones({3, 4}, DType::kInt32));
  model::Model model = builder.node("MatMul", {"x", "w"}, {"c"}).node("Relu", {"c"}, {"y"}).build();
  optimize(model, GraphOptimizationLevel::kAll);
  EXPECT_THAT(operators(model), ElementsAre("MatMul", "Relu"));
}

}  // namespace
}  // namespace sardonyx::optimize
