#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

model::Attribute axes(std::vector<int64_t> values) { return model::Attribute::of("axes", std::move(values)); }

ModelBuilder start(int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.input("x", {"n", 3, 4}).output("y").constant("two", Tensor::scalar(2.0f)).constant("half", Tensor::scalar(0.5f));
  builder.constant("minus_half", Tensor::scalar(-0.5f)).constant("one", Tensor::scalar(1.0f));
  builder.constant("eps", Tensor::scalar(1e-5f)).constant("scale", random_tensor({4}, 7)).constant("bias", random_tensor({4}, 8));
  return builder;
}
// Up to 's', the variance plus epsilon, of 'd', the difference.
ModelBuilder to_sum(int64_t opset = 17, std::vector<int64_t> over = {-1}) {
  ModelBuilder builder = start(opset);
  builder.node("ReduceMean", {"x"}, {"m"}, {axes(over)}).node("Sub", {"x", "m"}, {"d"}).node("Pow", {"d", "two"}, {"q"});
  builder.node("ReduceMean", {"q"}, {"v"}, {axes(over)}).node("Add", {"v", "eps"}, {"s"});
  return builder;
}
model::Model after(const ModelBuilder& builder) {
  return optimized(builder.build(), {{"x", random_tensor({2, 3, 4})}}, GraphOptimizationLevel::kAll, 4e-6f);
}

TEST(FuseLayerNorm, WithScaleAndBias) {
  const auto model = after(to_sum()
                               .node("Sqrt", {"s"}, {"r"})
                               .node("Div", {"d", "r"}, {"u"})
                               .node("Mul", {"scale", "u"}, {"w"})
                               .node("Add", {"w", "bias"}, {"y"}));
  ASSERT_THAT(operators(model), ElementsAre("LayerNormalization"));
  EXPECT_THAT(model.graph.node[0].input, ElementsAre("x", "scale", "bias"));
}

TEST(FuseLayerNorm, Spellings) {
  EXPECT_THAT(operators(after(to_sum().node("Sqrt", {"s"}, {"r"}).node("Div", {"d", "r"}, {"y"}))), ElementsAre("LayerNormalization"));
  EXPECT_THAT(operators(after(to_sum().node("Pow", {"s", "minus_half"}, {"r"}).node("Mul", {"r", "d"}, {"y"}))),
              ElementsAre("LayerNormalization"));
  EXPECT_THAT(operators(after(to_sum().node("Sqrt", {"s"}, {"r"}).node("Reciprocal", {"r"}, {"i"}).node("Mul", {"d", "i"}, {"y"}))),
              ElementsAre("LayerNormalization"));
  EXPECT_THAT(operators(after(to_sum().node("Pow", {"s", "half"}, {"r"}).node("Div", {"one", "r"}, {"i"}).node("Mul", {"d", "i"}, {"y"}))),
              ElementsAre("LayerNormalization"));
  EXPECT_THAT(operators(after(to_sum(13, {1, 2}).node("Sqrt", {"s"}, {"r"}).node("Div", {"d", "r"}, {"y"}))),
              ElementsAre("LayerNormalization"));
}

TEST(FuseLayerNorm, DifferenceTakenTwice) {
  EXPECT_THAT(operators(after(start()
                                  .node("ReduceMean", {"x"}, {"m"}, {axes({2})})
                                  .node("Sub", {"x", "m"}, {"d"})
                                  .node("Sub", {"x", "m"}, {"e"})
                                  .node("Mul", {"e", "e"}, {"q"})
                                  .node("ReduceMean", {"q"}, {"v"}, {axes({2})})
                                  .node("Add", {"eps", "v"}, {"s"})
                                  .node("Sqrt", {"s"}, {"r"})
                                  .node("Div", {"d", "r"}, {"y"}))),
              ElementsAre("LayerNormalization"));
}

TEST(FuseLayerNorm, WithoutMean) {
  const auto rms = [](int64_t opset) {
    return operators(after(start(opset)
                               .node("Pow", {"x", "two"}, {"q"})
                               .node("ReduceMean", {"q"}, {"v"}, {axes({-1})})
                               .node("Add", {"v", "eps"}, {"s"})
                               .node("Sqrt", {"s"}, {"r"})
                               .node("Div", {"x", "r"}, {"u"})
                               .node("Mul", {"u", "scale"}, {"y"})));
  };
  EXPECT_THAT(rms(17), ElementsAre("SimplifiedLayerNormalization"));
}

TEST(FuseLayerNorm, AxesAsInput) {
  const auto model = start(18)
                         .constant("axes", Tensor::of<int64_t>({1}, {-1}))
                         .node("ReduceMean", {"x", "axes"}, {"m"})
                         .node("Sub", {"x", "m"}, {"d"})
                         .node("Mul", {"d", "d"}, {"q"})
                         .node("ReduceMean", {"q", "axes"}, {"v"})
                         .node("Add", {"v", "eps"}, {"s"})
                         .node("Sqrt", {"s"}, {"r"})
                         .node("Div", {"d", "r"}, {"y"});
  EXPECT_THAT(operators(after(model)), ElementsAre("LayerNormalization"));
}

TEST(FuseLayerNorm, LeavesWhatOnlyLooksAlike) {
  const auto left = [](ModelBuilder builder) { EXPECT_THAT(operators(after(builder)), Not(Contains("LayerNormalization"))); };
  left(to_sum(17, {1}).node("Sqrt", {"s"}, {"r"}).node("Div", {"d", "r"}, {"y"}));  // not the last axis
  left(to_sum().node("Sqrt", {"s"}, {"r"}).node("Div", {"x", "r"}, {"y"}));         // the mean is in
  left(to_sum().node("Sqrt", {"s"}, {"r"}).node("Div", {"d", "r"}, {"y"}).output("v"));
  left(start()
           .node("ReduceMean", {"x"}, {"m"}, {axes({1})})
           .node("Sub", {"x", "m"}, {"d"})
           .node("Pow", {"d", "two"}, {"q"})
           .node("ReduceMean", {"q"}, {"v"}, {axes({2})})
           .node("Add", {"v", "eps"}, {"s"})
           .node("Sqrt", {"s"}, {"r"})
           .node("Div", {"d", "r"}, {"y"}));
}

TEST(FuseLayerNorm, AScaleOfAnotherShapeStaysOutside) {
  const auto model = after(to_sum()
                               .constant("wide", random_tensor({3, 4}, 9))
                               .node("Sqrt", {"s"}, {"r"})
                               .node("Div", {"d", "r"}, {"u"})
                               .node("Mul", {"u", "wide"}, {"y"}));
  EXPECT_THAT(operators(model), ElementsAre("LayerNormalization", "Mul"));
}

}  // namespace
}  // namespace sardonyx::optimize
