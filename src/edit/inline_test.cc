#include "edit/edit_case.h"

namespace sardonyx::edit {
namespace {

using testing::HasSubstr;

constexpr std::string_view kImports = "<ir_version: 8, opset_import: [\"\" : 17, \"f\" : 1]>\n";

struct Case {
  const char* what;
  std::string_view graph, functions, expected;
};

model::Model case_of(std::string_view graph, std::string_view functions) {
  return model_of(fmt::format("{}{}\n{}", kImports, graph, functions));
}

TEST(Inline, Calls) {
  const Case cases[] = {
      {"a call", "g (float[N] x) => (float[N] y) { [c] y = f.twice(x) }",
       R"(<domain: "f", opset_import: ["" : 17]> twice (a) => (b) { [m] t = Neg(a) b = Add(t, t) })",
       R"(g (float[N] x) => (float[N] y) { ["c/m"] "c/t" = Neg(x) y = Add("c/t", "c/t") })"},
      {"two calls, without names", "g (float[N] x) => (float[N] y) { t = f.twice(x) y = f.twice(t) }",
       R"(<domain: "f", opset_import: ["" : 17]> twice (a) => (b) { t = Neg(a) b = Add(t, t) })",
       R"(g (float[N] x) => (float[N] y) { "twice/t" = Neg(x) t = Add("twice/t", "twice/t") "twice_1/t" = Neg(t) y = Add("twice_1/t", "twice_1/t") })"},
      {"functions that call functions", "g (float[N] x) => (float[N] y) { [c] y = f.outer(x) }",
       R"(<domain: "f", opset_import: ["" : 17, "f" : 1]> outer (a) => (b) { [in] t = f.inner(a) b = f.inner(t) }
          <domain: "f", opset_import: ["" : 17]> inner (a) => (b) { b = Neg(a) })",
       R"(g (float[N] x) => (float[N] y) { "c/t" = Neg(x) y = Neg("c/t") })"},
      {"attributes given, by default, and left out", "g (float[N] x) => (float[N] y) { [c] y = f.h <alpha = 0.5> (x) }",
       R"(<domain: "f", opset_import: ["" : 17]> h <alpha, none>(a) => (b) { t = Elu <alpha: float = @alpha> (a) b = Selu <gamma: float = @none> (t) })",
       R"(g (float[N] x) => (float[N] y) { "c/t" = Elu<alpha = 0.5>(x) y = Selu("c/t") })"},
      {"default attributes", "g (float[N] x) => (float[N] y) { [c] y = f.h(x) }",
       R"(<domain: "f", opset_import: ["" : 17]> h <alpha: float = 2.0>(a) => (b) { b = Elu <alpha: float = @alpha> (a) })",
       R"(g (float[N] x) => (float[N] y) { y = Elu<alpha = 2.0>(x) })"},
      {"inputs and outputs left out", "g (float[N] x) => (float[N] y) { [c] y = f.h(x, , x) }",
       R"(<domain: "f", opset_import: ["" : 17]> h (a, lo, hi, more) => (b, d) { b = Clip(a, lo, hi) d = Max(b, more) })",
       R"(g (float[N] x) => (float[N] y) { y = Clip(x, , x) "c/d" = Max(y, "") })"},
      {"an input handed on, a value given twice", "g (float[N] x) => (float[N] y, float[N] z, float[N] w) { [c] y, z, w = f.h(x) }",
       R"(<domain: "f", opset_import: ["" : 17]> h (a) => (a, b, b) { b = Neg(a) })",
       R"(g (float[N] x) => (float[N] y, float[N] z, float[N] w) { z = Neg(x) y = Identity(x) w = Identity(z) })"},
      {"names that are taken", R"(g (float[N] x) => (float[N] y) { "c/t" = Abs(x) [c] y = f.h("c/t") })",
       R"(<domain: "f", opset_import: ["" : 17]> h (x) => (y) { t = Neg(x) y = Neg(t) })",
       R"(g (float[N] x) => (float[N] y) { "c/t" = Abs(x) "c/t_1" = Neg("c/t") y = Neg("c/t_1") })"},
      {"in a subgraph",
       R"(g (bool k, float x) => (float y) { y = If(k) <then_branch = t () => (float r) { [c] r = f.h(x) }, else_branch = e () => (float s) { s = Abs(x) }> })",
       R"(<domain: "f", opset_import: ["" : 17]> h (x) => (y) { t = Neg(x) y = Neg(t) })",
       R"(g (bool k, float x) => (float y) { y = If(k) <then_branch = t () => (float r) { "c/t" = Neg(x) r = Neg("c/t") }, else_branch = e () => (float s) { s = Abs(x) }> })"},
      {"a subgraph in the function, which takes names from around it", R"(g (bool k, float x, float r) => (float y) { [c] y = f.h(k, x) })",
       R"(<domain: "f", opset_import: ["" : 17]> h (k, x) => (y) { q = Neg(x) y = If(k) <then_branch = t () => (float r) { r = Add(q, x) }, else_branch = e () => (float s) { u = Abs(q) s = Add(u, u) }> })",
       R"(g (bool k, float x, float r) => (float y) { "c/q" = Neg(x) y = If(k) <then_branch = t () => (float "c/r") { "c/r" = Add("c/q", x) }, else_branch = e () => (float "c/s") { "c/u" = Abs("c/q") "c/s" = Add("c/u", "c/u") }> })"},
      {"a name of the function shadowed in its subgraph", R"(g (bool k, float x) => (float y) { [c] y = f.h(k, x, x) })",
       R"(<domain: "f", opset_import: ["" : 17]> h (k, p, q) => (y) { y = If(k) <then_branch = t () => (float r) { p = Neg(q) r = Add(p, q) }, else_branch = e () => (float s) { s = Neg(p) }> })",
       R"(g (bool k, float x) => (float y) { y = If(k) <then_branch = t () => (float "c/r") { "c/p" = Neg(x) "c/r" = Add("c/p", x) }, else_branch = e () => (float "c/s") { "c/s" = Neg(x) }> })"},
      {"a graph as attribute", R"(g (bool k, float x) => (float y) { [c] y = f.h <body = b () => (float r) { r = f.n(x) }> (k) })",
       R"(<domain: "f", opset_import: ["" : 17]> h <body>(k) => (y) { y = If(k) <then_branch: graph = @body, else_branch: graph = @body> }
          <domain: "f", opset_import: ["" : 17]> n (x) => (y) { y = Neg(x) })",
       R"(g (bool k, float x) => (float y) { y = If(k) <then_branch = b () => (float r) { r = Neg(x) }, else_branch = b () => (float r) { r = Neg(x) }> })"},
      {"the same name as an operator", "g (float[N] x) => (float[N] y) { y = Relu(x) }",
       R"(<opset_import: ["" : 17]> Relu (x) => (y) { y = Neg(x) })", "g (float[N] x) => (float[N] y) { y = Neg(x) }"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    expect_model(inline_functions(case_of(c.graph, c.functions)), fmt::format("{}{}", kImports, c.expected));
  }
}

TEST(Inline, ValueInfoIsTakenAlong) {
  const model::Model flat = inline_functions(
      case_of("g (float[N] x) => (float[N] y) { [c] y = f.h(x) }",
              R"(<domain: "f", opset_import: ["" : 17]> h (x) => (y) <float[N] t, float[N] x> { t = Neg(x) y = Neg(t) })"));
  ASSERT_EQ(flat.graph.value_info.size(), 1u);
  EXPECT_EQ(flat.graph.value_info[0].name, "c/t");
  EXPECT_EQ(flat.graph.value_info[0].type.tensor()->shape.dims[0].symbol(), "c/N") << "sizes of the function are not those of the graph";
}

TEST(Inline, Overloads) {
  const model::Model flat = inline_functions(case_of("g (float x) => (float y) { t = f.h:one(x) y = f.h:two(t) }",
                                                     R"(<domain: "f", overload: "one", opset_import: ["" : 17]> h (x) => (y) { y = Neg(x) }
                                                        <domain: "f", overload: "two", opset_import: ["" : 17]> h (x) => (y) { y = Abs(x) })"));
  expect_model(flat, fmt::format("{}g (float x) => (float y) {{ t = Neg(x) y = Abs(t) }}", kImports));
}

TEST(Inline, Filter) {
  const model::Model model = case_of("g (float x) => (float y) { t = f.keep(x) y = f.go(t) }",
                                     R"(<domain: "f", opset_import: ["" : 17, "f" : 1]> keep (x) => (y) { [c] y = f.go(x) }
                                        <domain: "f", opset_import: ["" : 17]> go (x) => (y) { t = Neg(x) y = Abs(t) })");
  expect_model(inline_functions(model, {.filter = [](const model::Function& f) { return f.name == "go"; }}),
               fmt::format(R"({}g (float x) => (float y) {{ t = f.keep(x) "go/t" = Neg(t) y = Abs("go/t") }}
<domain: "f", opset_import: ["" : 17, "f" : 1]> keep (x) => (y) {{ "c/t" = Neg(x) y = Abs("c/t") }})",
                           kImports));
  expect_model(inline_functions(model, {.filter = [](const model::Function&) { return false; }}), to_text(model));
}

TEST(Inline, Opsets) {
  const auto flat = [](std::string_view imports, std::string_view op) {
    return inline_functions(case_of("g (float[N] x) => (float[N] y) { y = f.h(x) }",
                                    fmt::format(R"(<domain: "f", opset_import: [{}]> h (x) => (y) {{ y = {}(x) }})", imports, op)));
  };
  EXPECT_EQ(flat(R"("" : 13)", "Neg").opset_version(), 17) << "Neg is the same in 13 and 17";
  EXPECT_THAT(error_of([&] { flat(R"("" : 11)", "Neg"); }),
              HasSubstr("function 'f.h' imports version 11 of ai.onnx, the model version 17, and Neg is not the same in both: convert"));
  EXPECT_EQ(flat(R"("" : 17, "other" : 3)", "other.Thing").opset_version("other"), 3) << "what the model lacks is imported";
}

TEST(Inline, TrainingGraphs) {
  model::Model model =
      case_of("g (float x) => (float y) { y = Neg(x) }", R"(<domain: "f", opset_import: ["" : 17]> h (x) => (y) { y = Abs(x) })");
  model.training_info.emplace_back().has_algorithm = true;
  model.training_info[0].algorithm = model::parse_text_graph("step () => (float z) { z = f.h(y) }");
  const model::Model result = inline_functions(model);
  EXPECT_EQ(result.training_info[0].algorithm.node[0].op_type, "Abs");
  EXPECT_TRUE(result.functions.empty());
}

TEST(Inline, Errors) {
  const auto message = [](std::string_view functions, ErrorCode code, std::string_view call = "y = f.h(x)") {
    return error_of([&] { inline_functions(case_of(fmt::format("g (float x) => (float y) {{ {} }}", call), functions)); }, code);
  };
  EXPECT_THAT(
      message(
          R"(<domain: "f", opset_import: ["f" : 1]> h (x) => (y) { y = f.i(x) } <domain: "f", opset_import: ["f" : 1]> i (x) => (y) { y = f.h(x) })",
          ErrorCode::kInvalidModel),
      HasSubstr("leads back to it"));
  EXPECT_THAT(message(R"(<domain: "f", opset_import: ["" : 17]> h (x) => (y) { y = Neg(z) })", ErrorCode::kInvalidModel),
              HasSubstr("uses 'z'"));
  EXPECT_THAT(message(R"(<domain: "f", opset_import: ["" : 17]> h (x) => (y) { z = Neg(x) })", ErrorCode::kInvalidModel),
              HasSubstr("nothing in the function defines its output 'y'"));
  EXPECT_THAT(message(R"(<domain: "f", opset_import: ["" : 17]> h (x) => (y) { y = Neg(x) y = Neg(x) })", ErrorCode::kInvalidModel),
              HasSubstr("defines 'y' twice"));
  EXPECT_THAT(message(R"(<domain: "f", opset_import: ["" : 17]> h (x) => (y) { y = Neg(x) })", ErrorCode::kInvalidModel, "y = f.h(x, x)"),
              HasSubstr("the call has 2 inputs"));
  EXPECT_THAT(message(R"(<domain: "f", opset_import: ["" : 17]> h <alpha>(x) => (y) { y = Elu <alpha: float = @alpha> (x) })",
                      ErrorCode::kInvalidModel, "y = f.h <alpha = 1> (x)"),
              HasSubstr("'alpha' is of type INT, where the function needs FLOAT"));
  EXPECT_THAT(message(R"(<domain: "f", opset_import: ["" : 17]> h (x) => (x) { y = Neg(x) })", ErrorCode::kInvalidModel, "y = f.h()"),
              HasSubstr("which the call leaves out"));
}

// Each function calls the one before it twice.
std::string doubling(int levels) {
  std::string text = R"(<domain: "f", opset_import: ["" : 17]> f0 (x) => (y) { y = Neg(x) })";
  for (int i = 1; i <= levels; ++i) {
    text += fmt::format(R"( <domain: "f", opset_import: ["" : 17, "f" : 1]> f{0} (x) => (y) {{ t = f.f{1}(x) y = f.f{1}(t) }})", i, i - 1);
  }
  return text;
}

TEST(Inline, GrowthIsBounded) {
  EXPECT_EQ(inline_functions(case_of("g (float x) => (float y) { y = f.f10(x) }", doubling(10))).graph.node.size(), 1024u);
  EXPECT_THAT(error_of([] { inline_functions(case_of("g (float x) => (float y) { y = f.f60(x) }", doubling(60)), {.max_nodes = 100000}); },
                       ErrorCode::kResourceLimit),
              HasSubstr("more than 100000 nodes"));
  std::string passed =
      R"(<domain: "f", opset_import: ["" : 17]> f0 <g>(k) => (y) { y = If(k) <then_branch: graph = @g, else_branch: graph = @g> })";
  for (int i = 1; i <= 60; ++i) {
    passed += fmt::format(
        R"( <domain: "f", opset_import: ["" : 17, "f" : 1]> f{0} <g>(k) => (y) {{ y = f.f{1} <g = b () => (float r) {{ r = If(k) <then_branch: graph = @g, else_branch: graph = @g> }}> (k) }})",
        i, i - 1);
  }
  EXPECT_THAT(error_of(
                  [&] {
                    inline_functions(
                        case_of("g (bool k, float x) => (float y) { y = f.f60 <g = b () => (float r) { r = Neg(x) }> (k) }", passed),
                        {.max_nodes = 100000});
                  },
                  ErrorCode::kResourceLimit),
              HasSubstr("more than 100000 nodes"));
}

TEST(Inline, DeepCallsAreBounded) {
  std::string text = R"(<domain: "f", opset_import: ["" : 17]> f0 (x) => (y) { y = Neg(x) })";
  for (int i = 1; i <= 1000; ++i) {
    text += fmt::format(R"( <domain: "f", opset_import: ["" : 17, "f" : 1]> f{} (x) => (y) {{ y = f.f{}(x) }})", i, i - 1);
  }
  EXPECT_EQ(inline_functions(case_of("g (float x) => (float y) { y = f.f200(x) }", text)).graph.node.size(), 1u);
  EXPECT_THAT(error_of([&] { inline_functions(case_of("g (float x) => (float y) { y = f.f1000(x) }", text)); }, ErrorCode::kResourceLimit),
              HasSubstr("more than 256 deep"));
}

}  // namespace
}  // namespace sardonyx::edit
