#include "optimize/graph_view.h"

#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(GraphView, RefusesPatchesThatBreakTheGraph) {
  model::Model model = ModelBuilder()
                           .input("x", {2})
                           .input("i", {2}, DType::kInt64)
                           .output("y")
                           .info("a", {2})
                           .node("Neg", {"x"}, {"a"})
                           .node("Relu", {"a"}, {"y"})
                           .build();
  GraphView graph(model);
  const auto refused = [&](Patch patch, std::string_view text) {
    try {
      graph.apply(std::move(patch));
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInternal);
      EXPECT_THAT(error.what(), HasSubstr(std::string(text)));
    }
  };
  refused({.remove = {0}}, "'a' would be lost, but is still read");
  refused({.remove = {1}}, "'y' would be lost");
  refused({.remove = {0}, .replace = {{"a", "i"}}}, "differ in type or shape");
  refused({.remove = {0}, .replace = {{"a", "nowhere"}}}, "would be read, but not produced");
  refused({.remove = {1}, .replace = {{"y", "x"}}}, "is a graph output and cannot become 'x'");
  refused({.remove = {0}, .constants = {model::encode(Tensor::scalar(1.0f), "a")}}, "'a' changes its type or shape");
  refused({.constants = {model::encode(random_tensor({2}), "a")}}, "'a' would be produced twice");
  graph.apply({.remove = {0}, .replace = {{"a", "x"}}});
  graph.release();
  EXPECT_THAT(operators(model), ElementsAre("Relu"));
}

}  // namespace
}  // namespace sardonyx::optimize
