#include "edit/edit_case.h"

namespace sardonyx::edit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> lines(std::string_view a, std::string_view b, const DiffOptions& options = {}) {
  std::vector<std::string> result;
  for (const Difference& d : diff_models(model_of(a), model_of(b), options).differences) {
    result.push_back(fmt::format("{}: {}: {} | {}", d.path, d.what, d.a, d.b));
  }
  return result;
}

constexpr std::string_view kModel = R"(g (float[N] x) => (float[N] y) <float[N] t, float[2] w = {1, 2}> {
  [a] t = Mul(x, w)
  [b] u = Elu<alpha = 1.0>(t)
  [c] y = Neg(u)
})";

TEST(Diff, Equal) {
  EXPECT_THAT(lines(kModel, kModel), IsEmpty());
  const DiffReport report = diff_models(model_of(kModel), model_of(kModel));
  EXPECT_EQ(to_string(report), "equal\n");
  EXPECT_THAT(to_json(report), HasSubstr("\"equal\": true"));
  model::Model raw = model_of(kModel);
  raw.graph.initializer[0] = model::encode(model::decode(raw.graph.initializer[0]), "w");
  EXPECT_TRUE(diff_models(model_of(kModel), raw).equal()) << "where the elements stand means nothing";
}

TEST(Diff, OfEachPart) {
  struct Case {
    const char* what;
    std::string_view b;
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {"an attribute",
       "g (float[N] x) => (float[N] y) <float[N] t, float[2] w = {1, 2}> { [a] t = Mul(x, w) [b] u = Elu<alpha = 2.0>(t) [c] y = Neg(u) }",
       {"graph / node 'b' (Elu) / attribute 'alpha': value: alpha: float = 1.0 | alpha: float = 2.0"}},
      {"an inserted node",
       "g (float[N] x) => (float[N] y) <float[N] t, float[2] w = {1, 2}> { [a] t = Mul(x, w) [b] u = Elu<alpha = 1.0>(t) [new] v = Abs(u) "
       "[c] y = Neg(v) }",
       {"graph / node 'c' (Neg): inputs: u | v", "graph: only in B:  | node 'new' (Abs)"}},
      {"another operator",
       "g (float[N] x) => (float[N] y) <float[N] t, float[2] w = {1, 2}> { [a] t = Mul(x, w) [b] u = Elu<alpha = 1.0>(t) [c] y = Abs(u) }",
       {"graph / node 'c' (Neg): op_type: Neg | Abs"}},
      {"elements",
       "g (float[N] x) => (float[N] y) <float[N] t, float[2] w = {1, 2.5}> { [a] t = Mul(x, w) [b] u = Elu<alpha = 1.0>(t) [c] y = Neg(u) "
       "}",
       {"graph / initializer 'w': elements: 1 of 2 differ, by at most 0.5: 2 at 1 | 2.5 at 1"}},
      {"types",
       "g (float[N] x) => (float[3] y) <float[M] t, int64[2] w = {1, 2}> { [a] t = Mul(x, w) [b] u = Elu<alpha = 1.0>(t) [c] y = Neg(u) }",
       {"graph / initializer 'w': type: float | int64", "graph / value_info 't': type: float[N] | float[M]",
        "graph / output 'y': type: float[N] | float[3]"}},
      {"opset and IR version",
       "<ir_version: 9, opset_import: [\"\" : 18, \"o\" : 1]> g (float[N] x) => (float[N] y) <float[N] t, float[2] w = {1, 2}> { [a] t = "
       "Mul(x, w) [b] u = Elu<alpha = 1.0>(t) [c] y = Neg(u) }",
       {"model: ir_version: 8 | 9", "model / opset ai.onnx: version: 17 | 18", "model: only in B:  | opset o 1"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(lines(kModel, c.b), c.expected);
  }
}

TEST(Diff, OrderOfNodesAndConstantsMeansNothing) {
  EXPECT_THAT(lines("g (float x) => (float y, float z) <float a = {1}, float b = {2}> { y = Add(x, a) z = Add(x, b) }",
                    "g (float x) => (float y, float z) <float b = {2}, float a = {1}> { z = Add(x, b) y = Add(x, a) }"),
              IsEmpty());
  EXPECT_THAT(
      lines("g (float x) => (float y, float z) { y = Neg(x) z = Abs(x) }", "g (float x) => (float z, float y) { y = Neg(x) z = Abs(x) }"),
      ElementsAre("graph: order of outputs: y, z | z, y"));
}

TEST(Diff, AnotherOperatorWhoseFirstOutputIsLeftOut) {
  EXPECT_THAT(
      lines("g (float[1, 1, 2] x) => (float[1, 1, 2] h) { , h = RNN(x) }", "g (float[1, 1, 2] x) => (float[1, 1, 2] h) { , h = GRU(x) }"),
      ElementsAre("graph / node with output 'h' (RNN): op_type: RNN | GRU"));
}

TEST(Diff, NamesIgnored) {
  const DiffOptions ignore{.ignore_names = true};
  constexpr std::string_view kRenamed =
      "h (float[N] in) => (float[N] out) <float[2] weight = {1, 2}> { p = Mul(in, weight) q = Elu<alpha = 1.0>(p) out = Neg(q) }";
  EXPECT_THAT(lines(kModel, kRenamed, ignore), IsEmpty());
  EXPECT_FALSE(diff_models(model_of(kModel), model_of(kRenamed)).equal());
  EXPECT_THAT(
      lines(kModel,
            "h (float[N] in) => (float[N] out) <float[2] weight = {1, 3}> { p = Mul(in, weight) q = Elu<alpha = 1.0>(p) out = Neg(q) }",
            ignore),
      ElementsAre("graph / node 'a' (Mul) / input 1: elements: 1 of 2 differ, by at most 1: 2 at 1 | 3 at 1"));
  EXPECT_THAT(lines("g (float a, float b) => (float y) { y = Sub(a, b) }", "g (float a, float b) => (float y) { y = Sub(b, a) }", ignore),
              ElementsAre("graph / node with output 'y' (Sub) / input 0: comes from another value: a | b (the same would be a)",
                          "graph / node with output 'y' (Sub) / input 1: comes from another value: b | a (the same would be b)"));
  EXPECT_THAT(lines("g (float x) => (float y) { a = Neg(x) b = Abs(a) c = Neg(b) y = Abs(c) }",
                    "g (float x) => (float y) { a1 = Neg(x) b1 = Abs(a1) n = Floor(b1) c1 = Neg(n) y = Abs(c1) }", ignore),
              ElementsAre("graph / node with output 'c' (Neg) / input 0: comes from another value: b | n (the same would be b1)",
                          "graph: only in B:  | node with output 'n' (Floor)"));
}

TEST(Diff, SubgraphsAndFunctions) {
  constexpr std::string_view kIf = R"(<ir_version: 8, opset_import: ["" : 17, "f" : 1]>
g (bool c, float x) => (float y) {{ k = Neg(x) [if] y = If(c) <then_branch = t () => (float r) {{ r = {}(k) }}, else_branch = e () => (float s) {{ s = f.h(k) }}> }}
<domain: "f", opset_import: ["" : 17]> h (x) => (y) {{ y = {}(x) }})";
  const std::string a = fmt::format(fmt::runtime(kIf), "Abs", "Abs"), b = fmt::format(fmt::runtime(kIf), "Neg", "Floor");
  EXPECT_THAT(lines(a, a, {.ignore_names = true}), IsEmpty());
  EXPECT_THAT(lines(a, b), ElementsAre("graph / node 'if' (If) / attribute 'then_branch' / node with output 'r' (Abs): op_type: Abs | Neg",
                                       "function 'f.h' / node with output 'y' (Abs): op_type: Abs | Floor"));
}

TEST(Diff, DocsAndMetadata) {
  constexpr std::string_view kA =
      R"(<ir_version: 8, opset_import: ["" : 17], producer_name: "p", metadata_props: ["k": "1", "l": "2"]> g (float x) => (float y) { y = Neg(x) })";
  constexpr std::string_view kB =
      R"(<ir_version: 8, opset_import: ["" : 17], producer_name: "q", metadata_props: ["k": "3"]> g (float x) => (float y) { y = Neg(x) })";
  EXPECT_THAT(lines(kA, kB),
              ElementsAre("model: producer_name: p | q", "model / metadata 'k': value: 1 | 3", "model / metadata: only in A: l = 2 | "));
  EXPECT_THAT(lines(kA, kB, {.ignore_docs = true, .ignore_metadata = true}), IsEmpty());
}

TEST(Diff, Tensors) {
  const auto what = [](std::string_view a, std::string_view b) {
    const auto with = [](std::string_view value) { return fmt::format("g () => (float y) {{ y = Constant<value = {}>() }}", value); };
    const std::vector<std::string> found = lines(with(a), with(b));
    return found.empty() ? std::string() : found[0].substr(found[0].find("'value': ") + 9);
  };
  EXPECT_EQ(what("float[2] {1, 2}", "float[2] {1, 2}"), "");
  EXPECT_EQ(what("float[2] {1, 2}", "float[1, 2] {1, 2}"), "dims: [2] | [1, 2]");
  EXPECT_EQ(what("string[1] {\"a\"}", "string[1] {\"b\"}"), "elements: 1 of 1 differ: 'a' at 0 | 'b' at 0");
  EXPECT_EQ(what("int64[2] {1, 2}", "int64[2] {5, 2}"), "elements: 1 of 2 differ, by at most 4: 1 at 0 | 5 at 0");
  EXPECT_EQ(what("bool[2] {1, 0}", "bool[2] {1, 1}"), "elements: 1 of 2 differ:  | ");
  EXPECT_THAT(what("float[3] {1}", "float[3] {1, 2}"), HasSubstr("could not be decoded"));
}

TEST(Diff, LimitsAndText) {
  const DiffReport report = diff_models(model_of("g (float x) => (float y) { y = Neg(x) a = Abs(x) b = Floor(x) }"),
                                        model_of("g (float x) => (float y) { y = Neg(x) }"), {.max_differences = 1});
  EXPECT_EQ(report.differences.size(), 1u);
  EXPECT_EQ(report.left_out, 1u);
  EXPECT_EQ(to_string(report), "graph: only in A: node with output 'a' (Abs)\n2 differences, 1 of them not shown\n");
  EXPECT_THAT(to_json(report), HasSubstr("\"left_out\": 1"));
  EXPECT_THAT(error_of([] { diff_models(nested_ifs(300), nested_ifs(2)); }, ErrorCode::kResourceLimit), HasSubstr("nested more than 200"));
}

}  // namespace
}  // namespace sardonyx::edit
