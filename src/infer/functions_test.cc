// Model-local functions, and structures that are made to take long, to crash or to recurse for ever.
#include <chrono>

#include "infer/infer_case.h"

namespace sardonyx::infer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::string_view kImports = ", \"com.x\" : 1";
constexpr std::string_view kHeader = "\n<opset_import: [\"\" : 27, \"com.x\" : 1], domain: \"com.x\">\n";

// A graph, and functions of the domain com.x.
std::string model_of(std::string_view graph, const std::vector<std::string>& functions) {
  std::string text(graph);
  for (const std::string& function : functions) text.append(kHeader).append(function);
  return text;
}

std::string inferred_with(std::string_view graph, const std::vector<std::string>& functions) {
  return inferred(model_of(graph, functions), "y", 27, kImports);
}

std::string refused_with(std::string_view graph, const std::vector<std::string>& functions) {
  return refused(model_of(graph, functions), 27, kImports);
}

TEST(Functions, AreInferredAtEachCall) {
  const std::string twice = "Twice (a, w) => (b) { h = MatMul (a, w)\n b = MatMul (h, w) }";
  EXPECT_EQ(inferred_with("g (float[N,3] x, float[3,3] w) => (y) { y = com.x.Twice (x, w) }", {twice}), "float[N,3]");
  EXPECT_EQ(inferred_with("g (double[2,5] x, double[5,5] w) => (y) { y = com.x.Twice (x, w) }", {twice}), "double[2,5]");
  EXPECT_THAT(refused_with("g (float[N,3] x, float[3,4] w) => (y) { y = com.x.Twice (x, w) }", {twice}),
              AllOf(HasSubstr("Twice"), HasSubstr("MatMul"), HasSubstr("4 and 3 differ")));
}

TEST(Functions, HaveAttributesAndDefaults) {
  const std::string split =
      "Split <axis: int = 0, keep: int = 1> (a) => (b) { b = SplitToSequence <axis: int = @axis, keepdims: int = @keep> (a) }";
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { y = com.x.Split (x) }", {split}), "seq(float[1,3])");
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { y = com.x.Split <axis = 1> (x) }", {split}), "seq(float[N,1])");
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { y = com.x.Split <axis = 1, keep = 0> (x) }", {split}), "seq(float[N])");
}

TEST(Functions, LeaveOutAttributesWithoutValue) {
  const std::string empty = "Empty <type> () => (b) { b = SequenceEmpty <dtype: int = @type> () }";
  EXPECT_EQ(inferred_with("g () => (y) { y = com.x.Empty () }", {empty}), "seq(float[])");
  EXPECT_EQ(inferred_with("g () => (y) { y = com.x.Empty <type = 7> () }", {empty}), "seq(int64[])");
}

TEST(Functions, BindAttributesWithinSubgraphs) {
  const std::string pick =
      "Pick <axis> (c, a) => (b) { b = If <then_branch = t () => (u) { u = SplitToSequence <axis: int = @axis> (a) }, "
      "else_branch = e () => (v) { v = SplitToSequence <axis: int = @axis> (a) }> (c) }";
  EXPECT_EQ(inferred_with("g (bool c, float[N,3] x) => (y) { y = com.x.Pick <axis = 1> (c, x) }", {pick}), "seq(float[N,1])");
  EXPECT_EQ(inferred_with("g (bool c, float[N,3] x) => (y) { y = com.x.Pick <axis = 0> (c, x) }", {pick}), "seq(float[1,3])");
}

TEST(Functions, CallFunctions) {
  const std::vector<std::string> functions = {
      "Outer <axis> (a) => (b) { b = com.x.Inner <at: int = @axis> (a) }",
      "Inner <at: int = 0> (a) => (b) { s = SplitToSequence <axis: int = @at> (a)\n i = SequenceLength (s)\n b = SequenceAt (s, i) }",
  };
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { y = com.x.Outer <axis = 1> (x) }", functions), "float[N,1]");
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { y = com.x.Outer (x) }", functions), "float[1,3]");
}

TEST(Functions, HaveOptionalInputsAndOutputs) {
  const std::string function = "Two (a, b) => (c, d) { c = Relu (a)\n d = SplitToSequence (a, b) }";
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { z, y = com.x.Two (x) }", {function}), "seq(float[1,3])");
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { y = com.x.Two (x, \"\") }", {function}), "float[N,3]");
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { \"\", y = com.x.Two (x) }", {function}), "seq(float[1,3])");
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { y, a, b = com.x.Two (x) }", {function}), "float[N,3]");  // one output too many
}

TEST(Functions, DoNotSeeTheGraphAroundTheCall) {
  EXPECT_EQ(inferred_with("g (float[N,3] x) => (y) { z = com.x.F ()\n y = Optional (x) }", {"F () => (b) { b = Relu (x) }"}),
            "optional(float[N,3])");
  EXPECT_EQ(
      inferred(model_of("g (float[N,3] x) => (y) { z = com.x.F ()\n y = Relu (z) }", {"F () => (b) { b = Relu (x) }"}), "z", 27, kImports),
      "not inferred");
}

TEST(Functions, RefuseToCallThemselves) {
  const std::string graph = "g (float[3] x) => (y) { y = com.x.F (x) }";
  const auto error = [&](const std::vector<std::string>& functions) {
    return message_of(ErrorCode::kInvalidModel, [&] { inferred_with(graph, functions); });
  };
  EXPECT_THAT(error({"F (a) => (b) { b = com.x.F (a) }"}), HasSubstr("function 'com.x.F' calls itself"));
  EXPECT_THAT(error({"F (a) => (b) { c = com.x.G (a)\n b = com.x.G (c) }", "G (a) => (b) { c = com.x.F (a)\n b = com.x.F (c) }"}),
              HasSubstr("function 'com.x.F' calls itself"));
}

double seconds_of(const auto& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
// Far above what the bounded work takes, far below what unbounded work would.
constexpr double kLongest = 60;

// Each function calls the next one twice: 2^40 calls.
TEST(Hostile, FunctionsThatMultiply) {
  std::vector<std::string> functions;
  for (int i = 0; i < 40; ++i) {
    const std::string next = "com.x.F" + std::to_string(i + 1);
    functions.push_back("F" + std::to_string(i) + " (a) => (b) { c = " + next + " (a)\n b = " + next + " (c) }");
  }
  functions.push_back("F40 (a) => (b) { b = Relu (a) }");
  const double seconds = seconds_of([&] {
    EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { inferred_with("g (float[3] x) => (y) { y = com.x.F0 (x) }", functions); }),
                HasSubstr("inference takes too long"));
  });
  EXPECT_LT(seconds, kLongest);
}

// `depth` loops within each other; the innermost makes its state with `innermost`, all others pass on what the loop inside makes.
std::string loops(int depth, const std::string& innermost) {
  std::string body = "n" + std::to_string(depth) + " = " + innermost;
  for (int i = depth; i > 0; --i) {
    const std::string k = std::to_string(i), outer = std::to_string(i - 1);
    body = "n" + outer + " = Loop <body = b" + k + " (int64 i" + k + ", bool c" + k + ", s" + k + ") => (c" + k + ", n" + k + ") { " +
           body + " }> (m, c0, s" + outer + ")";
  }
  return "g (int64 m, bool c0, float[2,3] s0, float[4,3] w) => (y) { " + body + "\n y = Relu (n0) }";
}

TEST(Hostile, LoopsWithinLoops) {
  const double seconds = seconds_of([] {
    for (const int depth : {1, 4, 8, 15}) {
      EXPECT_EQ(inferred(loops(depth, "Relu (w)")), depth <= 4 ? "float[?,3]" : "float[]") << depth;
      EXPECT_EQ(inferred(loops(depth, "Relu (s" + std::to_string(depth) + ")")), depth <= 4 ? "float[2,3]" : "float[]") << depth;
    }
  });
  EXPECT_LT(seconds, kLongest);
}

// Built, not parsed: deeper than the parser takes.
TEST(Hostile, SubgraphsNestedTooDeeply) {
  model::Model model =
      model::parse_text_model("<ir_version: 13, opset_import: [\"\" : 27]> g (bool c, float[2] x) => (y) { y = Relu (x) }");
  for (int i = 0; i < 1000; ++i) {
    model::Graph around;
    around.name = "g";
    around.output.resize(1);
    around.output[0].name = "y" + std::to_string(i);
    model::Node& node = around.node.emplace_back();
    node.op_type = "If";
    node.input = {"c"};
    node.output = {around.output[0].name};
    node.attribute = {model::Attribute::of("then_branch", model.graph), model::Attribute::of("else_branch", model.graph)};
    model.graph = std::move(around);
  }
  EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { infer_shapes(model); }), HasSubstr("nested more than 64 deep"));
}

// The report of lenient inference has the real problem, and none of shapes that were only tried.
TEST(Hostile, TriesLeaveNoTrace) {
  const std::string text =
      "<ir_version: 13, opset_import: [\"\" : 27]> g (int64 n, bool c0, float[5] x, float[2,3] w) => (y) { "
      "y = Loop <body = b (int64 i, bool c, s) => (c, t) { m = MatMul (w, s)\n t = Relu (s) }> (n, c0, x) }";
  model::Model model = model::parse_text_model(text);
  EXPECT_TRUE(infer_shapes(model).problems.empty());
  const model::Graph& body = *model.graph.node[0].attribute[0].g;
  ASSERT_EQ(body.value_info.size(), 1u);
  EXPECT_EQ(model::to_text(body.value_info[0].type), "float[]");
  EXPECT_EQ(model::to_text(model.graph.output[0].type), "float[]");
}

}  // namespace
}  // namespace sardonyx::infer
