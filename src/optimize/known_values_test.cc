#include "optimize/known_values.h"

#include "optimize/graph_view.h"
#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

// Reshape of 'x' to the shape in 's', which the caller adds.
ModelBuilder reshaped() { return ModelBuilder().input("x", {"n", 6}).output("y").node("Reshape", {"x", "s"}, {"y"}); }

TEST(KnownValues, FollowsSymbolsAndElements) {
  auto model = ModelBuilder()
                   .input("x", {"n", 6})
                   .output("y")
                   .node("Shape", {"x"}, {"s"})
                   .node("Relu", {"x"}, {"r"})
                   .node("Add", {"r", "x"}, {"y"})
                   .build();
  GraphView graph(model, known_values(model));
  ASSERT_NE(graph.dims("y"), nullptr);
  EXPECT_THAT(*graph.dims("y"), ElementsAre(model::Dimension("n"), model::Dimension(6)));
  ASSERT_NE(graph.elements("s"), nullptr);
  EXPECT_THAT(*graph.elements("s"), ElementsAre(model::Dimension("n"), model::Dimension(6)));
  EXPECT_EQ(graph.dtype("y"), DType::kFloat32);
  EXPECT_EQ(graph.elements("y"), nullptr);
  graph.release();
}

TEST(KnownValues, StaleDeclarationsDoNotCount) {
  auto model =
      ModelBuilder().input("x", {"n", 6}).output("y").info("a", {1, 6}).node("Relu", {"x"}, {"a"}).node("Neg", {"a"}, {"y"}).build();
  model.graph.output[0].type = model::Type::of_tensor(DType::kFloat32, {1, 6});
  const KnownValues known = known_values(model);
  EXPECT_THAT(known.at("a").type.shape.dims, ElementsAre(model::Dimension("n"), model::Dimension(6)));
  EXPECT_THAT(known.at("y").type.shape.dims, ElementsAre(model::Dimension("n"), model::Dimension(6)));
}

TEST(KnownValues, InitializersThatAFeedReplacesAreNoConstants) {
  const Tensor shape = Tensor::of<int64_t>({2}, {2, -1});
  EXPECT_TRUE(known_values(reshaped().constant("s", shape).build()).at("y").type.shape.dims[0].is_known());
  const KnownValues known = known_values(reshaped().input("s", {2}, DType::kInt64).constant("s", shape).build());
  EXPECT_EQ(known.at("y").type.shape.dims.size(), 2U);
  EXPECT_FALSE(known.at("y").type.shape.dims[0].is_known());
}

TEST(KnownValues, AContradictionLeavesTheRestKnown) {
  const KnownValues known = known_values(
      ModelBuilder().input("x", {2, 6}).input("z", {3, 6}).output("y").node("Relu", {"x"}, {"a"}).node("Add", {"x", "z"}, {"y"}).build());
  EXPECT_TRUE(known.at("a").type.has_shape);
  EXPECT_FALSE(known.contains("y") && known.at("y").type.has_shape);
}

}  // namespace
}  // namespace sardonyx::optimize
