#include "edit/edit_case.h"

namespace sardonyx::edit {
namespace {

using testing::HasSubstr;

constexpr std::string_view kModel = R"(main (bool c, float[N, M] x) => (float[N, M] y) <float[N, M] t, float[1] w = {1}> {
  [mul] t = Mul(x, w)
  [if] y = If(c) <then_branch = a () => (float[N, M] r) { [neg] r = Neg(t) }, else_branch = b () => (float[N, M] q) { q = Add(t, x) }>
})";

TEST(Rename, EverywhereAtOnce) {
  model::Model model = model_of(kModel);
  rename(model, {.values = {{"t", "x"}, {"x", "t"}, {"r", "result"}, {"w", "weight"}},
                 .nodes = {{"mul", "product"}, {"neg", "inner"}},
                 .dims = {{"N", "batch"}, {"M", 7}}});
  expect_model(model, R"(main (bool c, float[batch, 7] t) => (float[batch, 7] y) <float[batch, 7] x, float[1] weight = {1}> {
  [product] x = Mul(t, weight)
  [if] y = If(c) <then_branch = a () => (float[batch, 7] result) { [inner] result = Neg(x) }, else_branch = b () => (float[batch, 7] q) { q = Add(x, t) }>
})");
}

TEST(Rename, CopiesOfAModelStayAsTheyWere) {
  const model::Model original = model_of(kModel);
  model::Model copy = original;
  rename(copy, {.values = {{"r", "s"}, {"t", "u"}}, .dims = {{"N", 3}}});
  expect_model(original, kModel);
}

TEST(Rename, Errors) {
  model::Model model = model_of(kModel);
  const auto message = [&](const Renames& renames) { return error_of([&] { rename(model, renames); }); };
  EXPECT_THAT(message({.values = {{"tt", "z"}}}), HasSubstr("no value 'tt'; it has 'c'"));
  EXPECT_THAT(message({.values = {{"t", "x"}}}), HasSubstr("'t' cannot be renamed to 'x', which another has"));
  EXPECT_THAT(message({.values = {{"t", "q"}}}), HasSubstr("which another has"));
  EXPECT_THAT(message({.values = {{"t", "z"}, {"x", "z"}}}), HasSubstr("two values would be named 'z'"));
  EXPECT_THAT(message({.values = {{"t", ""}}}), HasSubstr("empty name"));
  EXPECT_THAT(message({.nodes = {{"mul", "if"}}}), HasSubstr("node 'mul' cannot be renamed"));
  EXPECT_THAT(message({.nodes = {{"no", "if"}}}), HasSubstr("no node 'no'"));
  EXPECT_THAT(message({.dims = {{"K", "n"}}}), HasSubstr("no dim symbol 'K'"));
  EXPECT_THAT(message({.dims = {{"N", -1}}}), HasSubstr("not negative"));
  expect_model(model, kModel);
}

TEST(Rename, AnnotationsSparseTensorsTypesAndTraining) {
  model::Model model = model_of(R"(main (float[N] x, seq(float[N]) s) => (float[N] y) { y = Neg(x) })");
  model.graph.quantization_annotation.emplace_back().tensor_name = "x";
  model::StringPair& pair = model.graph.quantization_annotation[0].quant_parameter_tensor_names.emplace_back();
  pair.key = "x";
  pair.value = "y";
  model::SparseTensorData& sparse = model.graph.sparse_initializer.emplace_back();
  sparse.has_values = true;
  sparse.values.name = "sp";
  model::TrainingInfo& training = model.training_info.emplace_back();
  training.has_algorithm = true;
  training.algorithm = model::parse_text_graph("step () => (float[N] y2) { y2 = Add(x, y) }");
  model::StringPair& binding = training.update_binding.emplace_back();
  binding.key = "x";
  binding.value = "y2";
  rename(model, {.values = {{"x", "a"}, {"y", "b"}, {"sp", "w"}, {"y2", "b2"}}, .dims = {{"N", "n"}}});
  EXPECT_EQ(model.graph.quantization_annotation[0].tensor_name, "a");
  EXPECT_EQ(model.graph.quantization_annotation[0].quant_parameter_tensor_names[0].key, "x");
  EXPECT_EQ(model.graph.quantization_annotation[0].quant_parameter_tensor_names[0].value, "b");
  EXPECT_EQ(model.graph.sparse_initializer[0].values.name, "w");
  EXPECT_EQ(to_text(model.training_info[0].algorithm), to_text(model::parse_text_graph("step () => (float[n] b2) { b2 = Add(a, b) }")));
  EXPECT_EQ(model.training_info[0].update_binding[0].key, "a");
  EXPECT_EQ(model.training_info[0].update_binding[0].value, "b2");
  EXPECT_EQ(to_text(model.graph.input[1].type), "seq(float[n])");
}

TEST(AddPrefix, All) {
  model::Model model = model_of(kModel);
  add_prefix(model, "p/");
  EXPECT_EQ(to_text(model),
            to_text(model_of(R"(main (bool "p/c", float[N, M] "p/x") => (float[N, M] "p/y") <float[N, M] "p/t", float[1] "p/w" = {1}> {
  ["p/mul"] "p/t" = Mul("p/x", "p/w")
  ["p/if"] "p/y" = If("p/c") <then_branch = a () => (float[N, M] "p/r") { ["p/neg"] "p/r" = Neg("p/t") }, else_branch = b () => (float[N, M] "p/q") { "p/q" = Add("p/t", "p/x") }>
})")));
}

TEST(AddPrefix, Chosen) {
  const auto prefixed = [](const PrefixOptions& which) {
    model::Model model = model_of("main (float[N] x) => (float[N] y) <float[1] w = {1}> { [n] t = Mul(x, w) y = Neg(t) }");
    add_prefix(model, "p", which);
    return model;
  };
  PrefixOptions none{
      .nodes = false, .values = false, .inputs = false, .outputs = false, .initializers = false, .functions = false, .dims = false};
  const auto with = [&](bool PrefixOptions::*which) {
    PrefixOptions options = none;
    options.*which = true;
    return prefixed(options);
  };
  expect_model(with(&PrefixOptions::inputs), "main (float[N] px) => (float[N] y) <float[1] w = {1}> { [n] t = Mul(px, w) y = Neg(t) }");
  expect_model(with(&PrefixOptions::outputs), "main (float[N] x) => (float[N] py) <float[1] w = {1}> { [n] t = Mul(x, w) py = Neg(t) }");
  expect_model(with(&PrefixOptions::initializers),
               "main (float[N] x) => (float[N] y) <float[1] pw = {1}> { [n] t = Mul(x, pw) y = Neg(t) }");
  expect_model(with(&PrefixOptions::values), "main (float[N] x) => (float[N] y) <float[1] w = {1}> { [n] pt = Mul(x, w) y = Neg(pt) }");
  expect_model(with(&PrefixOptions::nodes), "main (float[N] x) => (float[N] y) <float[1] w = {1}> { [pn] t = Mul(x, w) y = Neg(t) }");
  expect_model(with(&PrefixOptions::dims), "main (float[pN] x) => (float[pN] y) <float[1] w = {1}> { [n] t = Mul(x, w) y = Neg(t) }");
}

TEST(AddPrefix, FunctionsAndTheirCalls) {
  model::Model model = model_of(R"(<ir_version: 8, opset_import: ["" : 17, "f" : 1]>
main (bool c, float x) => (float y) { y = If(c) <then_branch = t () => (float r) { r = f.outer(x) }, else_branch = e () => (float q) { q = f.inner(x) }> }
<domain: "f", opset_import: ["" : 17, "f" : 1]> outer (x) => (y) { y = f.inner(x) }
<domain: "f", opset_import: ["" : 17]> inner (x) => (y) { y = Abs(x) })");
  add_prefix(model, "p_",
             {.nodes = false, .values = false, .inputs = false, .outputs = false, .initializers = false, .functions = true, .dims = false});
  expect_model(model, R"(<ir_version: 8, opset_import: ["" : 17, "f" : 1]>
main (bool c, float x) => (float y) { y = If(c) <then_branch = t () => (float r) { r = f.p_outer(x) }, else_branch = e () => (float q) { q = f.p_inner(x) }> }
<domain: "f", opset_import: ["" : 17, "f" : 1]> p_outer (x) => (y) { y = f.p_inner(x) }
<domain: "f", opset_import: ["" : 17]> p_inner (x) => (y) { y = Abs(x) })");
}

TEST(AddPrefix, Errors) {
  model::Model model = model_of("main (float x) => (float px) { px = Neg(x) }");
  PrefixOptions inputs_only{
      .nodes = false, .values = false, .inputs = true, .outputs = false, .initializers = false, .functions = false, .dims = false};
  EXPECT_THAT(error_of([&] { add_prefix(model, "p", inputs_only); }), HasSubstr("'x' cannot be renamed to 'px', which another has"));
  model::Model deep = nested_ifs(300);
  EXPECT_THAT(error_of([&] { add_prefix(deep, "p"); }, ErrorCode::kResourceLimit), HasSubstr("nested more than 200"));
}

}  // namespace
}  // namespace sardonyx::edit
