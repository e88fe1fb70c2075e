#include "edit/edit_case.h"

namespace sardonyx::edit {
namespace {

using testing::HasSubstr;

constexpr std::string_view kChain = R"(main (float[N] x, float[N] z) => (float[N] y, float[N] q)
<float[N] a, float[1] w = {2}, float[1] v = {3}>
{
  a = Mul(x, w)
  b = Add(a, z)
  y = Mul(b, v)
  q = Neg(a)
})";

struct Case {
  const char* what;
  std::string_view model;
  std::vector<std::string> inputs, outputs;
  std::string_view expected;
};

TEST(Extract, Parts) {
  const Case cases[] = {
      {"all", kChain, {"x", "z"}, {"y", "q"}, kChain},
      {"head", kChain, {"x"}, {"a"}, "main (float[N] x) => (float[N] a) <float[1] w = {2}> { a = Mul(x, w) }"},
      {"between",
       kChain,
       {"a", "z"},
       {"y"},
       "main (float[N] a, float[N] z) => (float[N] y) <float[1] v = {3}> { b = Add(a, z) y = Mul(b, v) }"},
      {"an output within",
       kChain,
       {"x", "z"},
       {"a", "y"},
       "main (float[N] x, float[N] z) => (float[N] a, float[N] y) <float[1] w = {2}, float[1] v = {3}> "
       "{ a = Mul(x, w) b = Add(a, z) y = Mul(b, v) }"},
      {"nothing between", kChain, {"a"}, {"a"}, "main (float[N] a) => (float[N] a) { }"},
      {"an input without use stays", kChain, {"z", "a"}, {"q"}, "main (float[N] z, float[N] a) => (float[N] q) { q = Neg(a) }"},
      {"a constant as output", kChain, {}, {"w"}, "main () => (float[1] w) <float[1] w = {2}> { }"},
      {"a constant as input", kChain, {"x", "w"}, {"a"}, "main (float[N] x, float[1] w) => (float[N] a) { a = Mul(x, w) }"},
      {"a default stays one",
       "main (float[1] x, float[1] w = {2}) => (float[1] y) { y = Mul(x, w) }",
       {"x", "w"},
       {"y"},
       "main (float[1] x, float[1] w = {2}) => (float[1] y) { y = Mul(x, w) }"},
      {"a default that is no input any more",
       "main (float[1] x, float[1] w = {2}) => (float[1] y) { y = Mul(x, w) }",
       {"x"},
       {"y"},
       "main (float[1] x) => (float[1] y) <float[1] w = {2}> { y = Mul(x, w) }"},
      {"before IR 4 it stays an input",
       "<ir_version: 3, opset_import: [\"\" : 7]> main (float[1] x, float[1] w = {2}) => (float[1] y) { y = Mul(x, w) }",
       {"x"},
       {"y"},
       "<ir_version: 3, opset_import: [\"\" : 7]> main (float[1] x, float[1] w = {2}) => (float[1] y) { y = Mul(x, w) }"},
      {"an output of a node that is an input now",
       "main (float[4] x) => (float[2] a, float[2] y) { a, b = Split(x) y = Add(a, b) }",
       {"x", "a"},
       {"y"},
       "main (float[4] x, float[2] a) => (float[2] y) { a_unused, b = Split(x) y = Add(a, b) }"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    expect_model(extract_model(model_of(c.model), c.inputs, c.outputs), c.expected);
  }
}

TEST(Extract, WhatSubgraphsTakeCounts) {
  const model::Model model = model_of(R"(main (bool c, float[2] x) => (float[2] y) <float[2] k, float[2] w = {1, 2}> {
    k = Add(x, w)
    unused = Neg(x)
    y = If(c) <then_branch = t () => (float[2] r) { r = If(c) <then_branch = tt () => (float[2] s) { s = Neg(k) }, else_branch = te () => (float[2] w2) { w2 = Neg(w) }> },
               else_branch = e () => (float[2] k2) { x2 = Neg(x) k2 = Neg(x2) }>
  })");
  const model::Model all = extract_model(model, {"c", "x"}, {"y"});
  EXPECT_EQ(all.graph.node.size(), 2u);
  EXPECT_EQ(all.graph.initializer.size(), 1u);
  EXPECT_THAT(error_of([&] { extract_model(model, {"c"}, {"y"}); }), HasSubstr("depend on 'x' too"));
  const model::Model cut = extract_model(model, {"c", "x", "k"}, {"y"});
  EXPECT_EQ(cut.graph.node.size(), 1u);
  EXPECT_EQ(cut.graph.initializer.size(), 1u) << "w is used two graphs further in";
}

TEST(Extract, FunctionsAnnotationsAndMetadata) {
  model::Model model = model_of(R"(<ir_version: 8, opset_import: ["" : 17, "f" : 1], metadata_props: ["k": "v"]>
main (float[2] x) => (float[2] y, float[2] z) <float s = {0.5}, float unused = {1}> { y = f.outer(x) z = f.third(x) }
<domain: "f", opset_import: ["" : 17]> third (x) => (y) { y = Neg(x) }
<domain: "f", opset_import: ["" : 17, "f" : 1]> outer (x) => (y) {
  c = Constant<value = bool {1}>()
  y = If(c) <then_branch = t () => (r) { r = f.inner(x) }, else_branch = e () => (r2) { r2 = Neg(x) }>
}
<domain: "f", opset_import: ["" : 17]> inner (x) => (y) { y = Abs(x) })");
  model::TensorAnnotation& annotation = model.graph.quantization_annotation.emplace_back();
  annotation.tensor_name = "y";
  model::StringPair& pair = annotation.quant_parameter_tensor_names.emplace_back();
  pair.key = "SCALE_TENSOR";
  pair.value = "s";
  model.graph.quantization_annotation.emplace_back().tensor_name = "z";
  const model::Model part = extract_model(model, {"x"}, {"y"});
  ASSERT_EQ(part.functions.size(), 2u);
  EXPECT_EQ(part.functions[0].name, "outer");
  EXPECT_EQ(part.functions[1].name, "inner");
  ASSERT_EQ(part.graph.initializer.size(), 1u);
  EXPECT_EQ(part.graph.initializer[0].name, "s");
  EXPECT_EQ(part.graph.quantization_annotation.size(), 1u);
  EXPECT_EQ(part.metadata_props, model.metadata_props);
  EXPECT_EQ(part.opset_import, model.opset_import);
}

TEST(Extract, Errors) {
  const model::Model model = model_of(kChain);
  const auto message = [&](std::vector<std::string> inputs, std::vector<std::string> outputs) {
    return error_of([&] { extract_model(model, inputs, outputs); });
  };
  EXPECT_THAT(message({"x"}, {"y"}), HasSubstr("the outputs depend on 'z' too"));
  EXPECT_THAT(message({"xx"}, {"y"}), HasSubstr("input 'xx': the graph has no such value; it has 'a', 'b'"));
  EXPECT_THAT(message({"x"}, {"yy"}), HasSubstr("output 'yy'"));
  EXPECT_THAT(message({"x", "x"}, {"y"}), HasSubstr("'x' is named twice"));
  EXPECT_THAT(message({"x"}, {"q", "q"}), HasSubstr("'q' is named twice"));
  EXPECT_THAT(message({"x"}, {}), HasSubstr("no outputs"));
  EXPECT_THAT(message({"b"}, {"y"}), HasSubstr("the type of 'b' is not known"));
  EXPECT_TRUE(extract_model(model, {"b"}, {"y"}, {.require_types = false}).graph.input[0].type.absent());
  EXPECT_THAT(error_of([] { extract_model(model_of("m () => (float y) { y = Neg(nowhere) }"), {}, {"y"}); }, ErrorCode::kInvalidModel),
              HasSubstr("takes 'nowhere', which nothing"));
  EXPECT_THAT(error_of(
                  [] {
                    extract_model(nested_ifs(300), {"c", "x"}, {"y"});
                  },
                  ErrorCode::kResourceLimit),
              HasSubstr("nested more than 200"));
}

TEST(Extract, CyclesEnd) {
  const model::Model model = model_of("m (float x) => (float y) <float a> { a = Add(x, b) b = Neg(a) y = Neg(b) }");
  EXPECT_EQ(extract_model(model, {"x"}, {"y"}).graph.node.size(), 3u);
}

TEST(Extract, LongChains) {
  constexpr size_t kNodes = 50000;
  model::Model model = model_of("m (float x) => (float y) { y = Neg(x) }");
  model.graph.node.clear();
  for (size_t i = 0; i < kNodes; ++i) {
    model::Node& node = model.graph.node.emplace_back();
    node.op_type = "Neg";
    node.input = {i == 0 ? "x" : fmt::format("v{}", i)};
    node.output = {i + 1 == kNodes ? "y" : fmt::format("v{}", i + 1)};
  }
  EXPECT_EQ(extract_model(model, {"x"}, {"y"}).graph.node.size(), kNodes);
  model::Model prefixed = model;
  add_prefix(prefixed, "p/");
  EXPECT_EQ(prefixed.graph.node.back().input[0], fmt::format("p/v{}", kNodes - 1));
  const DiffReport report = diff_models(model, prefixed, {.ignore_names = true});
  EXPECT_TRUE(report.equal()) << to_string(report);
}

}  // namespace
}  // namespace sardonyx::edit
