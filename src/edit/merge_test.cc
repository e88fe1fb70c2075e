#include "edit/edit_case.h"

namespace sardonyx::edit {
namespace {

using testing::HasSubstr;

constexpr std::string_view kFirst = "a (float[N] x) => (float[N] m, float[N] n) <float[1] w = {2}> { m = Mul(x, w) n = Neg(x) }";
constexpr std::string_view kSecond = "b (float[N] p, float[N] q) => (float[N] y) <float[1] v = {3}> { t = Add(p, q) y = Mul(t, v) }";

TEST(Merge, ConnectsOutputsToInputs) {
  struct Case {
    const char* what;
    IoMap io_map;
    MergeOptions options;
    std::string_view expected;
  };
  const Case cases[] = {
      {"all",
       {{"m", "p"}, {"n", "q"}},
       {},
       "a_b (float[N] x) => (float[N] y) <float[N] m, float[N] n, float[1] w = {2}, float[1] v = {3}> "
       "{ m = Mul(x, w) n = Neg(x) t = Add(m, n) y = Mul(t, v) }"},
      {"one output for two inputs",
       {{"m", "p"}, {"m", "q"}},
       {},
       "a_b (float[N] x) => (float[N] n, float[N] y) <float[N] m, float[1] w = {2}, float[1] v = {3}> "
       "{ m = Mul(x, w) n = Neg(x) t = Add(m, m) y = Mul(t, v) }"},
      {"one left open",
       {{"m", "p"}},
       {.name = "both"},
       "both (float[N] x, float[N] q) => (float[N] n, float[N] y) <float[N] m, float[1] w = {2}, float[1] v = {3}> "
       "{ m = Mul(x, w) n = Neg(x) t = Add(m, q) y = Mul(t, v) }"},
      {"prefixes",
       {{"m", "p"}, {"n", "q"}},
       {.prefix_a = "A", .prefix_b = "B", .name = "g"},
       "g (float[N] Ax) => (float[N] By) <float[N] Am, float[N] An, float[1] Aw = {2}, float[1] Bv = {3}> "
       "{ Am = Mul(Ax, Aw) An = Neg(Ax) Bt = Add(Am, An) By = Mul(Bt, Bv) }"},
      {"outputs kept",
       {{"m", "p"}, {"m", "q"}},
       {.outputs = {"y", "m"}, .name = "g"},
       "g (float[N] x) => (float[N] y, float[N] m) <float[1] w = {2}, float[1] v = {3}> { m = Mul(x, w) t = Add(m, m) y = Mul(t, v) }"},
      {"nothing connected",
       {},
       {.name = "g"},
       "g (float[N] x, float[N] p, float[N] q) => (float[N] m, float[N] n, float[N] y) <float[1] w = {2}, float[1] v = {3}> "
       "{ m = Mul(x, w) n = Neg(x) t = Add(p, q) y = Mul(t, v) }"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    model::Model merged = merge_models(model_of(kFirst), model_of(kSecond), c.io_map, c.options);
    EXPECT_EQ(merged.producer_name, "sardonyx");
    merged.producer_name = merged.producer_version = {};
    expect_model(merged, c.expected);
  }
}

TEST(Merge, InputsTakenBySubgraphsAndDefaults) {
  const model::Model second = model_of(R"(b (bool c, float[1] p = {7}) => (float[N] y) {
    y = If(c) <then_branch = t () => (float[N] r) { r = Neg(p) }, else_branch = e () => (float[N] s) { s = Abs(p) }> })");
  const model::Model merged = merge_models(model_of(kFirst), second, {{"m", "p"}}, {.outputs = {"y"}});
  ASSERT_EQ(merged.graph.node.size(), 2u);
  EXPECT_EQ(merged.graph.node[1].attribute[0].g->node[0].input[0], "m");
  EXPECT_EQ(merged.graph.find_initializer("p"), nullptr) << "the default gives way";
}

TEST(Merge, FunctionsOpsetsAndMetadata) {
  const auto with = [](std::string_view body, std::string_view metadata) {
    return model_of(fmt::format(R"(<ir_version: 8, opset_import: ["" : 17, "f" : 1], metadata_props: [{}]>
g (float x) => (float y) {{ y = f.g(x) }}
<domain: "f", opset_import: ["" : 17]> g (x) => (y) {{ y = {}(x) }})",
                                metadata, body));
  };
  const model::Model a = with("Neg", R"("k": "1", "l": "2")"), same = with("Neg", R"("l": "2", "m": "3")"),
                     other = with("Abs", R"("k": "9")");
  const MergeOptions prefix{.prefix_b = "b_"};
  model::Model plain = same;
  rename(plain, {.values = {{"x", "u"}, {"y", "v"}}});
  const model::Model merged = merge_models(a, plain, {{"y", "u"}});
  EXPECT_EQ(merged.functions.size(), 1u) << "equal functions are one";
  EXPECT_EQ(merged.metadata_props.size(), 3u);
  model::Model renamed = other;
  rename(renamed, {.values = {{"x", "u"}, {"y", "v"}}});
  EXPECT_THAT(error_of([&] { merge_models(a, renamed, {{"y", "u"}}); }), HasSubstr("different functions of the same name, function 'f.g'"));
  EXPECT_THAT(error_of([&] { merge_models(a, other, {{"y", "x"}}, prefix); }), HasSubstr("metadata 'k' is '1' in the first model and '9'"));
  const model::Model both = merge_models(a, other, {{"y", "x"}}, {.prefix_b = "b_", .first_metadata_wins = true});
  EXPECT_EQ(both.functions.size(), 2u);
  EXPECT_EQ(both.graph.node[1].op_type, "b_g");
  EXPECT_EQ(*model::find_value(both.metadata_props, "k"), "1");
}

TEST(Merge, Errors) {
  const auto message = [](std::string_view a, std::string_view b, const IoMap& io_map, const MergeOptions& options = {}) {
    return error_of([&] { merge_models(model_of(a), model_of(b), io_map, options); });
  };
  EXPECT_THAT(message(kFirst, kSecond, {{"mm", "p"}}), HasSubstr("output of the first model 'mm' is not there; it has 'm', 'n'"));
  EXPECT_THAT(message(kFirst, kSecond, {{"m", "pp"}}), HasSubstr("input of the second model 'pp' is not there"));
  EXPECT_THAT(message(kFirst, kSecond, {{"m", "p"}, {"n", "p"}}), HasSubstr("input 'p' is connected twice"));
  EXPECT_THAT(message(kFirst, kFirst, {{"m", "x"}}),
              HasSubstr("both models have values named 'm', 'n', 'w': give one of the models a prefix"));
  EXPECT_THAT(message("<ir_version: 8, opset_import: [\"\" : 13]> b (float[N] x) => (float[N] n) { n = Neg(x) }", kSecond, {{"n", "p"}}),
              HasSubstr("the first model imports version 13 of ai.onnx, the second version 17: convert"));
  EXPECT_THAT(message(kFirst, "b (int64[N] p) => (int64[N] y) { y = Neg(p) }", {{"m", "p"}}), HasSubstr("tensor(float) and tensor(int64)"));
  EXPECT_THAT(message("a (float[3] x) => (float[3] m) { m = Neg(x) }", "b (float[4] p) => (float[4] y) { y = Neg(p) }", {{"m", "p"}}),
              HasSubstr("'m' cannot feed 'p': they have shape [3] and shape [4]"));
  EXPECT_THAT(
      message("a (float[N] x) => (float[N] m) { [n] m = Neg(x) }", "b (float[N] p) => (float[N] y) { [n] y = Neg(p) }", {{"m", "p"}}),
      HasSubstr("both models have nodes named 'n': give one of the models a prefix"));
  EXPECT_THAT(message(kFirst, kSecond, {{"m", "p"}}, {.outputs = {"nope"}}), HasSubstr("output 'nope' is not there"));
  EXPECT_THAT(message(kFirst, kSecond, {{"m", "p"}}, {.inputs = {"x"}}), HasSubstr("depend on 'q' too"));
  EXPECT_THAT(message(kFirst, "b (float[N] p, float[N] q) => (float[N] p, float[N] q) { z = Neg(p) }", {{"m", "p"}, {"m", "q"}}),
              HasSubstr("hands 'm' through"));
}

TEST(Merge, NamesWithinSubgraphsMayMeetOnlyThere) {
  const auto with_if = [](std::string_view values) {
    return model_of(
        fmt::format("g (bool c{0}, float x{0}) => (float y{0}) {{ y{0} = If(c{0}) <then_branch = t () => (float in) {{ in = Neg(x{0}) }}, "
                    "else_branch = e () => (float el) {{ el = Abs(x{0}) }}> }}",
                    values));
  };
  EXPECT_EQ(merge_models(with_if("1"), with_if("2"), {{"y1", "x2"}}).graph.node.size(), 2u);
  EXPECT_THAT(error_of([&] { merge_models(with_if("1"), model_of("g (float in) => (float z) { z = Neg(in) }"), {}); }), HasSubstr("'in'"));
}

}  // namespace
}  // namespace sardonyx::edit
