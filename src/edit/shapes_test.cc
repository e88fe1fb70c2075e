#include "edit/edit_case.h"

namespace sardonyx::edit {
namespace {

using model::Dimension;
using testing::HasSubstr;
using Shapes = std::map<std::string, std::vector<Dimension>>;

constexpr std::string_view kModel =
    "g (float[N, 3, H] x, float[N] z, float a) => (float[N, 3, H] y) <float[N, 3, H] t> { t = Neg(x) u = Add(t, a) y = Add(u, z) }";

TEST(Shapes, SetAndFollowed) {
  struct Case {
    const char* what;
    Shapes shapes;
    std::string_view expected;
  };
  const Case cases[] = {
      {"a symbol gets a size everywhere",
       {{"x", {2, 3, "H"}}},
       "g (float[2, 3, H] x, float[2] z, float a) => (float[2, 3, H] y) <float[2, 3, H] t> { t = Neg(x) u = Add(t, a) y = Add(u, z) }"},
      {"a symbol gets a name",
       {{"x", {"batch", Dimension(), 8}}},
       "g (float[batch, 3, 8] x, float[batch] z, float a) => (float[batch, 3, 8] y) <float[batch, 3, 8] t> "
       "{ t = Neg(x) u = Add(t, a) y = Add(u, z) }"},
      {"an output",
       {{"y", {Dimension(), Dimension(), 5}}},
       "g (float[N, 3, 5] x, float[N] z, float a) => (float[N, 3, 5] y) <float[N, 3, 5] t> { t = Neg(x) u = Add(t, a) y = Add(u, z) }"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    model::Model model = model_of(kModel);
    set_input_shapes(model, c.shapes);
    expect_model(model, c.expected);
  }
}

TEST(Shapes, UnknownRank) {
  model::Model model = model_of("g (float[] x) => (float[] y) { y = Neg(x) }");
  set_input_shapes(model, {{"x", {"n", 4}}});
  EXPECT_EQ(to_text(model.graph.input[0]), "float[n,4] x");
}

TEST(Shapes, Contradictions) {
  const auto message = [](const Shapes& shapes, std::string_view text = kModel) {
    model::Model model = model_of(text);
    const std::string said = error_of([&] { set_input_shapes(model, shapes); });
    expect_model(model, text);
    return said;
  };
  EXPECT_THAT(message({{"x", {1, 4, 5}}}), HasSubstr("'x': axis 1 is declared as 3 and would get 4: replace"));
  EXPECT_THAT(message({{"x", {1, 3}}}), HasSubstr("declared with 3 dimensions, [N, 3, H], and would get 2"));
  EXPECT_THAT(message({{"x", {1, 3, 5}}, {"z", {2}}}), HasSubstr("'N', which would be both 1 and 2"));
  EXPECT_THAT(message({{"xx", {1}}}), HasSubstr("no such input; it has 'a'"));
  EXPECT_THAT(message({{"x", {-1, 3, 5}}}), HasSubstr("size -1 is negative"));
  EXPECT_THAT(message({{"s", {1}}}, "g (seq(float[N]) s) => (seq(float[N]) t) { t = Identity(s) }"), HasSubstr("not a tensor"));
  EXPECT_THAT(message({{"w", {3}}}, "g (float[2] w = {1, 2}) => (float[2] y) { y = Neg(w) }"), HasSubstr("default value of shape [2]"));
}

TEST(Shapes, Replaced) {
  model::Model model = model_of("g (float[1, 3] x) => (float[1, 3] y) <float[1, 3] t> { t = Neg(x) y = Neg(t) }");
  set_input_shapes(model, {{"x", {"batch", 4}}}, {.replace = true});
  EXPECT_EQ(to_text(model.graph.input[0]), "float[batch,4] x");
  EXPECT_EQ(to_text(model.graph.output[0]), "float[?,?] y");
  EXPECT_FALSE(model.graph.value_info[0].type.tensor()->has_shape);
  set_input_shapes(model, {{"x", {1, 2, 3}}, {"y", {1, 2, 3}}}, {.replace = true});
  EXPECT_EQ(to_text(model.graph.output[0]), "float[1,2,3] y");
}

TEST(Shapes, Batch) {
  model::Model model = model_of("g (float[N, 3] x, float[M] z, float s, float[2, 2] w = {1, 2, 3, 4}) => (float[N, 3] y) { y = Neg(x) }");
  set_batch(model, "batch");
  expect_model(model, "g (float[batch, 3] x, float[batch] z, float s, float[2, 2] w = {1, 2, 3, 4}) => (float[batch, 3] y) { y = Neg(x) }");
  set_batch(model, 4);
  EXPECT_EQ(to_text(model.graph.output[0]), "float[4,3] y");
  EXPECT_THAT(error_of([&] { set_batch(model, 8); }), HasSubstr("axis 0 is declared as 4"));
  set_batch(model, "n", {.replace = true});
  EXPECT_EQ(to_text(model.graph.input[0]), "float[n,3] x");
  model::Model scalar = model_of("g (float x) => (float y) { y = Neg(x) }");
  EXPECT_THAT(error_of([&] { set_batch(scalar, 1); }), HasSubstr("no input with a batch axis"));
}

}  // namespace
}  // namespace sardonyx::edit
