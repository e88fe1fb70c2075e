// Sequences, optionals and strings.
#include "infer/infer_case.h"

namespace sardonyx::infer {
namespace {

using testing::HasSubstr;

struct Case {
  std::string inputs, nodes, type;  // a refusal's message where it does not name a type
};

void expect_types(const std::vector<Case>& cases, int64_t opset = 27) {
  for (const Case& c : cases) EXPECT_EQ(inferred("g (" + c.inputs + ") => (y) { " + c.nodes + " }", "y", opset), c.type) << c.nodes;
}

void expect_refused(const std::vector<Case>& cases, int64_t opset = 27) {
  for (const Case& c : cases) {
    EXPECT_THAT(refused("g (" + c.inputs + ") => (y) { " + c.nodes + " }", opset), HasSubstr(c.type)) << c.nodes;
  }
}

TEST(Sequences, MakeAndTake) {
  expect_types({
      {"", "y = SequenceEmpty ()", "seq(float[])"},
      {"", "y = SequenceEmpty <dtype = 7> ()", "seq(int64[])"},
      {"float[2,3] a", "y = SequenceConstruct (a)", "seq(float[2,3])"},
      {"float[2,3] a, float[N,3] b", "y = SequenceConstruct (a, b)", "seq(float[?,3])"},
      {"float[2,3] a, float[3] b", "y = SequenceConstruct (a, b)", "seq(float[])"},
      {"float[2,3] a, float[] b", "y = SequenceConstruct (a, b)", "seq(float[])"},
      {"seq(float[N,3]) s, float[N,4] a", "y = SequenceInsert (s, a)", "seq(float[N,?])"},
      {"seq(float[]) s, float[N,4] a, int64 i", "y = SequenceInsert (s, a, i)", "seq(float[])"},
      {"seq(float[N,3]) s, int64 i", "y = SequenceAt (s, i)", "float[N,3]"},
      {"seq(float[N,3]) s", "y = SequenceErase (s)", "seq(float[N,3])"},
      {"seq(float[N,3]) s", "y = SequenceLength (s)", "int64"},
  });
  expect_refused({
      {"", "y = SequenceEmpty <dtype = 999> ()", "'dtype' is 999"},
      {"", "y = SequenceEmpty <dtype = -4294967295> ()", "'dtype' is -4294967295"},
      {"seq(float[2]) s, double[2] a", "y = SequenceInsert (s, a)", "must be of one type: found tensor(float) and tensor(double)"},
      {"float[2] a, double[2] b", "y = SequenceConstruct (a, b)", "tensor(double)"},
      {"float[2] a, int64 i", "y = SequenceAt (a, i)", "does not take"},
  });
}

TEST(Sequences, Split) {
  for (const int64_t opset : {11, 24}) {
    expect_types(
        {
            {"float[6,N] x", "y = SplitToSequence (x)", "seq(float[1,N])"},
            {"float[6,N] x", "y = SplitToSequence <axis = -1, keepdims = 0> (x)", "seq(float[6])"},
            {"float[6,N] x", "k = Constant <value = int64 {2}> ()\n y = SplitToSequence <axis = 0, keepdims = 0> (x, k)",
             "seq(float[2,N])"},
            {"float[] x", "y = SplitToSequence (x)", "seq(float[])"},
            {"float[6,N] x, int64[M] k", "y = SplitToSequence (x, k)", "seq(float[?,N])"},
        },
        opset);
  }
  const auto with = [](std::string_view shape, std::string_view split) {
    return "g (float" + std::string(shape) + " x) => (y) <int64" + std::string(split) + "> { y = SplitToSequence (x, k) }";
  };
  const std::pair<std::string, std::string> cases[] = {
      {with("[6,N]", " k = {2}"), "seq(float[2,N])"},       {with("[7,N]", " k = {2}"), "seq(float[?,N])"},
      {with("[3,N]", " k = {5}"), "seq(float[3,N])"},       {with("[T,N]", " k = {1}"), "seq(float[1,N])"},
      {with("[6,N]", "[2] k = {3, 3}"), "seq(float[3,N])"}, {with("[6,N]", "[2] k = {2, 4}"), "seq(float[?,N])"},
      {with("[T,N]", "[2] k = {4, 4}"), "seq(float[4,N])"}, {with("[0,N]", " k = {4}"), "seq(float[4,N])"},
  };
  for (const auto& [text, type] : cases) EXPECT_EQ(inferred(text), type) << text;
  EXPECT_THAT(refused(with("[6]", "[2] k = {2, 3}")), HasSubstr("sum up to 5, the axis has 6"));
  EXPECT_THAT(refused(with("[6]", "[2] k = {9223372036854775807, 9223372036854775807}")), HasSubstr("sum up to ?"));
  EXPECT_THAT(refused(with("[6]", "[2] k = {-1, 7}")), HasSubstr("'split' has the size -1"));
  EXPECT_THAT(refused(with("[6]", " k = {0}")), HasSubstr("'split' has the size 0"));
  EXPECT_THAT(refused(with("[6]", "[0] k = {}")), HasSubstr("'split' is empty"));
  expect_refused({{"float[6] x", "y = SplitToSequence <axis = 1> (x)", "axis 1"}, {"float x", "y = SplitToSequence (x)", "axis 0"}});
}

TEST(Sequences, Concat) {
  expect_types({
      {"seq(float[2,N]) s", "y = ConcatFromSequence <axis = 0> (s)", "float[?,N]"},
      {"seq(float[2,N]) s", "y = ConcatFromSequence <axis = -1> (s)", "float[2,?]"},
      {"seq(float[2,N]) s", "y = ConcatFromSequence <axis = -1, new_axis = 1> (s)", "float[2,N,?]"},
      {"seq(float[2,N]) s", "y = ConcatFromSequence <axis = 0, new_axis = 1> (s)", "float[?,2,N]"},
      {"seq(float[]) s", "y = ConcatFromSequence <axis = 9> (s)", "float[]"},
      {"seq(float) s", "y = ConcatFromSequence <axis = 0, new_axis = 1> (s)", "float[?]"},
  });
  expect_refused({
      {"seq(float[2,N]) s", "y = ConcatFromSequence <axis = 2> (s)", "axis 2 is not within [-2, 2)"},
      {"seq(float[2,N]) s", "y = ConcatFromSequence <axis = 3, new_axis = 1> (s)", "axis 3 is not within [-3, 3)"},
      {"seq(float[2,N]) s", "y = ConcatFromSequence <axis = 0, new_axis = 2> (s)", "'new_axis' is 2"},
      {"seq(float) s", "y = ConcatFromSequence <axis = 0> (s)", "axis 0"},
  });
}

TEST(Sequences, Map) {
  expect_types({
      {"seq(float[N,3]) s, float[3,4] w", "y = SequenceMap <body = b (e, v) => (r) { r = MatMul (e, v) }> (s, w)", "seq(float[N,4])"},
      {"seq(float[?,3]) s", "y = SequenceMap <body = b (e) => (r) { r = Relu (e) }> (s)", "seq(float[?,3])"},
      {"seq(float[]) s, seq(double[2]) t", "y = SequenceMap <body = b (e, f) => (r) { r = Relu (f) }> (s, t)", "seq(double[2])"},
  });
  expect_refused({
      {"seq(float[2]) s", "y = SequenceMap <body = b (e, v) => (r) { r = Relu (e) }> (s)", "body has 2 inputs, SequenceMap gives it 1"},
      {"seq(float[2]) s", "y = SequenceMap <body = b (e) => (r, q) { r = Relu (e)\n q = Relu (e) }> (s)", "body makes 2 values"},
      {"seq(float[2]) s", "y = SequenceMap <body = b (e) => (r) { r = SequenceConstruct (e) }> (s)", "must be a tensor"},
      {"seq(float[2]) s", "y = SequenceMap (s)", "attribute 'body' must be a graph"},
  });
}

// Each element may have another size: no symbol may say that they are equal.
TEST(Sequences, MapGivesNoSymbolToSizesThatDiffer) {
  model::Model model = model::parse_text_model(
      "<ir_version: 13, opset_import: [\"\" : 27]> g (seq(float[?,3]) s) => (y) { y = SequenceMap <body = b (e) => (r) { r = Relu (e) }> "
      "(s) }");
  infer_shapes(model);
  EXPECT_EQ(model::to_text(model.graph.output[0].type), "seq(float[?,3])");
}

TEST(Optionals, WrapAndUnwrap) {
  expect_types(
      {
          {"float[N] x", "y = Optional (x)", "optional(float[N])"},
          {"seq(float[N]) x", "y = Optional (x)", "optional(seq(float[N]))"},
          {"optional(float[N]) x", "y = OptionalGetElement (x)", "float[N]"},
          {"optional(seq(float[N])) x", "y = OptionalGetElement (x)", "seq(float[N])"},
          {"optional(float[N]) x", "y = OptionalHasElement (x)", "bool"},
      },
      15);
  expect_types({
      {"float[N] x", "y = OptionalGetElement (x)", "float[N]"},
      {"seq(float[N]) x", "y = OptionalGetElement (x)", "seq(float[N])"},
      {"", "y = OptionalHasElement ()", "bool"},
      {"float[2] x", "y = OptionalHasElement (x)", "bool"},
      {"", "y = Optional <type: type_proto = float[N,2]> ()", "optional(float[N,2])"},
  });
  expect_refused({{"", "y = Optional ()", "neither an input nor a type"}});
  expect_refused({{"", "y = OptionalHasElement ()", "the input is missing"}, {"float[N] x", "y = OptionalGetElement (x)", "does not take"}},
                 15);
}

TEST(Strings, HaveShapes) {
  expect_types({
      {"string[N,1] a, string[3] b", "y = StringConcat (a, b)", "string[N,3]"},
      {"string[] a, string[3] b", "y = StringConcat (a, b)", "string[]"},
      {"string[N,2] a", "y = RegexFullMatch <pattern = \"a+\"> (a)", "bool[N,2]"},
      {"string[N,2] a", "y, z = StringSplit (a)", "string[N,2,?]"},
      {"string[N,2] a", "z, y = StringSplit (a)", "int64[N,2]"},
      {"string[] a", "z, y = StringSplit (a)", "int64[]"},
      {"string[4] a", "y = StringNormalizer (a)", "string[?]"},
      {"string[1,4] a", "y = StringNormalizer (a)", "string[1,?]"},
      {"string[] a", "y = StringNormalizer (a)", "string[]"},
  });
  expect_refused({
      {"string[2] a, string[3] b", "y = StringConcat (a, b)", "cannot be broadcast"},
      {"string[2,4] a", "y = StringNormalizer (a)", "must have shape [C] or [1, C], its shape is [2, 4]"},
      {"string a", "y = StringNormalizer (a)", "must have shape [C]"},
      {"string[1,1,1] a", "y = StringNormalizer (a)", "must have shape [C]"},
  });
}

TEST(Strings, NgramsHavePlaces) {
  const auto node = [](std::string_view places) {
    return "y = TfIdfVectorizer <mode = \"TF\", max_gram_length = 1, min_gram_length = 1, max_skip_count = 0, ngram_counts = [0], "
           "ngram_indexes = [" +
           std::string(places) + "]> (x)";
  };
  expect_types({
      {"int64[N,5] x", node("0, 7, 3"), "float[N,8]"},
      {"string[5] x", node("0"), "float[1]"},
      {"string[] x", node("0"), "float[]"},
      {"string[5] x", node("9223372036854775807"), "float[?]"},
  });
  expect_refused({
      {"string[5] x", node("0, -1"), "none below 0"},
      {"string[1,1,5] x", node("0"), "rank 1 or 2"},
      {"string x", node("0"), "rank 1 or 2"},
  });
}

}  // namespace
}  // namespace sardonyx::infer
