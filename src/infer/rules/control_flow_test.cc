// If, Loop, Scan.
#include "infer/infer_case.h"

namespace sardonyx::infer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Case {
  std::string text, type;
  int64_t opset = 27;
};

void expect_types(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(inferred(c.text, "y", c.opset), c.type) << c.text << " at opset " << c.opset;
}

std::string if_of(std::string_view inputs, std::string_view then_body, std::string_view else_body) {
  return "g (bool c, " + std::string(inputs) + ") => (y) { y = If <then_branch = t () => (u) { u = " + std::string(then_body) +
         " }, else_branch = e () => (v) { v = " + std::string(else_body) + " }> (c) }";
}

TEST(If, HasWhatBothBranchesSay) {
  expect_types({
      {if_of("float[N,3] a, float[N,3] b", "Relu (a)", "Relu (b)"), "float[N,3]"},
      {if_of("float[N,3] a, float[M,3] b", "Relu (a)", "Relu (b)"), "float[?,3]"},
      {if_of("float[2,3] a, float[2,4] b", "Relu (a)", "Relu (b)"), "float[2,?]", 11},
      {if_of("float[2,3] a, float[3] b", "Relu (a)", "Relu (b)"), "float[]", 11},
      {if_of("float[2,3] a, float[] b", "Relu (a)", "Relu (b)"), "float[]"},
      {if_of("float a, float b", "Relu (a)", "Relu (b)"), "float"},
      {if_of("float[2] a, float[2] b", "SequenceConstruct (a, b)", "SequenceEmpty ()"), "seq(float[])", 13},
      {if_of("float[2] a, float[3] b", "SequenceConstruct (a)", "SequenceConstruct (b)"), "seq(float[?])", 13},
      {if_of("float[2] a, float[2] b", "Optional (a)", "Optional (b)"), "optional(float[2])", 16},
  });
}

TEST(If, OfVersionOneHasOneShape) {
  expect_types({
      {if_of("float[N,3] a, float[2,?] b", "Relu (a)", "Relu (b)"), "float[2,3]", 10},
      {if_of("float[] a, float[2,?] b", "Relu (a)", "Relu (b)"), "float[2,?]", 1},
  });
  EXPECT_THAT(refused(if_of("float[2,3] a, float[2,4] b", "Relu (a)", "Relu (b)"), 10), HasSubstr("3 and 4 differ"));
  EXPECT_THAT(refused(if_of("float[2,3] a, float[3] b", "Relu (a)", "Relu (b)"), 1), HasSubstr("differ in rank"));
}

TEST(If, RefusesBranchesOfDifferentTypes) {
  EXPECT_THAT(refused(if_of("float[2] a, double[2] b", "Relu (a)", "Relu (b)")),
              AllOf(HasSubstr("output 0 of then_branch and else_branch"), HasSubstr("tensor(float) and tensor(double)")));
  EXPECT_THAT(refused(if_of("float[2] a, float[2] b", "Relu (a)", "SequenceConstruct (b)")), HasSubstr("must be of one type"));
  EXPECT_THAT(refused("g (bool c, float[2] a) => (y) { y = If <then_branch = t () => (u, w) { u = Relu (a)\n w = Relu (a) }, "
                      "else_branch = e () => (v) { v = Relu (a) }> (c) }"),
              HasSubstr("the node has 1 outputs, then_branch has 2"));
  EXPECT_THAT(refused("g (bool c, float[2] a) => (y) { y = If <then_branch = t () => (u) { u = Relu (a) }> (c) }"),
              HasSubstr("attribute 'else_branch' must be a graph"));
  EXPECT_THAT(refused("g (bool c, float[2] a) => (y) { y = If <then_branch = t (float z) => (u) { u = Relu (a) }, "
                      "else_branch = e () => (v) { v = Relu (a) }> (c) }"),
              HasSubstr("then_branch has 1 inputs, If gives it 0"));
}

// A loop over `state`; `body` makes `next` (the state of the next iteration) and `scanned` from `i`, `c` and `s`.
std::string loop_of(std::string_view inputs, std::string_view state, std::string_view body, std::string_view given = "n, c0") {
  return "g (int64 n, bool c0, " + std::string(inputs) +
         ") => (y, z) { y, z = Loop <body = b (int64 i, bool c, s) => (c, next, scanned) { " + std::string(body) + " }> (" +
         std::string(given) + ", " + std::string(state) + ") }";
}

TEST(Loop, KeepsShapesThatDoNotChange) {
  const std::string text = loop_of("float[N,3] x", "x", "next = Relu (s)\n scanned = Relu (s)");
  for (const int64_t opset : {1, 11, 13, 16, 19, 21, 23, 24, 25}) {
    EXPECT_EQ(inferred(text, "y", opset), "float[N,3]") << opset;
    EXPECT_EQ(inferred(text, "z", opset), "float[?,N,3]") << opset;
  }
}

TEST(Loop, LosesSizesAndRanksThatChange) {
  expect_types({
      {loop_of("float[N,3] x, float[3,4] w, float[M,4] v", "x", "next = Relu (v)\n scanned = Relu (s)"), "float[?,?]"},
      {loop_of("float[4,3] x, float[4,5] w", "x", "next = Relu (w)\n scanned = Relu (s)"), "float[4,?]"},
      {loop_of("float[4,3] x, float[4] w", "x", "next = Relu (w)\n scanned = Relu (s)"), "float[]"},
      {loop_of("float[] x", "x", "next = Relu (s)\n scanned = Relu (s)"), "float[]"},
      // An iteration that contradicts the first shapes is seen without them.
      {loop_of("float[5] x, float[2,3] w", "x", "m = MatMul (w, s)\n next = Relu (s)\n scanned = Relu (m)"), "float[]"},
  });
  EXPECT_EQ(inferred(loop_of("float[4,3] x, float[4,5] w", "x", "next = Relu (w)\n scanned = Relu (s)"), "z"), "float[?,4,?]");
}

TEST(Loop, LosesWhatChangesStepByStep) {
  // The size 2 of `a` reaches `b` in the second iteration and `d` in the third.
  const std::string text =
      "g (int64 n, bool c0, float[1] p, float[1] q, float[1] r, float[2] w) => (x, u, y) { x, u, y = Loop <body = b "
      "(int64 i, bool c, a, b, d) => (c, a2, b2, d2) { a2 = Relu (w)\n b2 = Relu (a)\n d2 = Relu (b) }> (n, c0, p, q, r) }";
  for (const char* name : {"x", "u", "y"}) EXPECT_EQ(inferred(text, name), "float[?]") << name;
}

TEST(Loop, TakesTripCountAndConditionAsOptional) {
  const std::string body = "next = Relu (s)\n scanned = Relu (s)";
  for (const char* given : {"\"\", c0", "n, \"\"", "\"\", \"\""}) {
    EXPECT_EQ(inferred(loop_of("float[N,3] x", "x", body, given)), "float[N,3]") << given;
  }
}

TEST(Loop, CarriesSequences) {
  const std::string text =
      "g (int64 n, bool c0, float[2,3] x) => (y) { s0 = SequenceConstruct (x)\n y = Loop <body = b (int64 i, bool c, s) => (c, s2) { "
      "s2 = SequenceInsert (s, x) }> (n, c0, s0) }";
  EXPECT_EQ(inferred(text), "seq(float[2,3])");
}

TEST(Loop, RefusesBodiesThatDoNotFit) {
  const auto loop = [](std::string_view body) {
    return "g (int64 n, bool c0, float[3] x) => (y) { y = Loop <body = " + std::string(body) + "> (n, c0, x) }";
  };
  EXPECT_THAT(refused(loop("b (int64 i, bool c) => (c, z) { z = Relu (x) }")), HasSubstr("body has 2 inputs, Loop gives it 3"));
  EXPECT_THAT(refused(loop("b (int64 i, bool c, s, t) => (c, z) { z = Relu (s) }")), HasSubstr("body has 4 inputs, Loop gives it 3"));
  EXPECT_THAT(refused(loop("b (int64 i, bool c, s) => (c) { z = Relu (s) }")), HasSubstr("it makes 1 values"));
  EXPECT_THAT(refused(loop("b (int64 i, bool c, s) => (c, i) { z = Relu (s) }")), HasSubstr("loop-carried value 0 must be of one type"));
  EXPECT_THAT(refused("g (int64 n, bool c0, float[3] x) => (y) { y = Loop (n, c0, x) }"), HasSubstr("attribute 'body' must be a graph"));
  EXPECT_THAT(refused("g (int64 n, bool c0, float[3] x) => (y) { y = Loop <body = b (int64 i, bool c) => (c, q) { "
                      "q = SequenceConstruct (x) }> (n, c0) }"),
              HasSubstr("scan output 0 must be a tensor"));
}

// What fails whatever the shapes are is told as the body's error.
TEST(Loop, TellsWhatFailsInTheBody) {
  EXPECT_THAT(refused(loop_of("float[5] x, float[2,3] w", "x", "m = MatMul (w, w)\n next = Relu (s)\n scanned = Relu (m)")),
              AllOf(HasSubstr("Loop"), HasSubstr("body"), HasSubstr("3 and 2 differ")));
}

std::string scan_of(std::string_view inputs, std::string_view given, std::string_view attributes = "") {
  return "g (" + std::string(inputs) + ") => (y, z) { y, z = Scan <num_scan_inputs = 1" + std::string(attributes) +
         ", body = b (s, e) => (s2, r) { s2 = Relu (s)\n r = Relu (e) }> (" + std::string(given) + ") }";
}

TEST(Scan, StacksAlongAnyAxis) {
  struct {
    std::string inputs, attributes, y, z;
  } cases[] = {
      {"float[4] i, float[T,3,5] x", "", "float[4]", "float[T,3,5]"},
      {"float[4] i, float[7,3,5] x", ", scan_input_axes = [1]", "float[4]", "float[3,7,5]"},
      {"float[4] i, float[7,3,T] x", ", scan_input_axes = [-1], scan_output_axes = [-1]", "float[4]", "float[7,3,T]"},
      {"float[4] i, float[7,3] x", ", scan_output_axes = [1], scan_output_directions = [1]", "float[4]", "float[3,7]"},
      {"float[] i, float[] x", "", "float[]", "float[]"},
      {"float i, float[T] x", "", "float", "float[T]"},
  };
  for (const auto& c : cases) {
    for (const int64_t opset : {9, 11, 16, 19, 21, 23, 24, 25}) {
      EXPECT_EQ(inferred(scan_of(c.inputs, "i, x", c.attributes), "y", opset), c.y) << c.inputs;
      EXPECT_EQ(inferred(scan_of(c.inputs, "i, x", c.attributes), "z", opset), c.z) << c.inputs;
    }
  }
}

TEST(Scan, OfVersionEightHasBatches) {
  const std::string text = scan_of("float[N,4] i, float[2,T,3] x", "\"\", i, x");
  EXPECT_EQ(inferred(text, "y", 8), "float[2,4]");
  EXPECT_EQ(inferred(text, "z", 8), "float[2,T,3]");
  EXPECT_EQ(inferred(scan_of("int64[2] l, float[2,4] i, float[] x", "l, i, x"), "z", 8), "float[]");
  EXPECT_THAT(refused(scan_of("float[3,4] i, float[2,T,3] x", "\"\", i, x"), 8), HasSubstr("batch sizes of the inputs: 3 and 2 differ"));
  EXPECT_THAT(refused(scan_of("float[3,4] i, float[3] x", "\"\", i, x"), 8), HasSubstr("input 2 is a scalar"));
}

TEST(Scan, RefusesWhatDoesNotFit) {
  EXPECT_THAT(refused(scan_of("float[4] i, float[7,3] x", "i, x", ", scan_input_axes = [0, 1]")), HasSubstr("must have 1 axes, it has 2"));
  EXPECT_THAT(refused(scan_of("float[4] i, float[7,3] x", "i, x", ", scan_input_axes = [2]")), HasSubstr("axis 2"));
  EXPECT_THAT(refused(scan_of("float[4] i, float[7,3] x", "i, x", ", scan_output_axes = [9223372036854775807]")), HasSubstr("axis 92233"));
  EXPECT_THAT(refused("g (float[3] x) => (y) { y = Scan <num_scan_inputs = 4294967297, body = b (e) => (r) { r = Relu (e) }> (x) }"),
              HasSubstr("'num_scan_inputs' is 4294967297, the node has 1 values"));
  EXPECT_THAT(refused("g (float[3] x) => (y) { y = Scan <num_scan_inputs = -1, body = b (e) => (r) { r = Relu (e) }> (x) }"),
              HasSubstr("'num_scan_inputs' is -1"));
  EXPECT_THAT(
      refused("g (float[3] x, float[4] z) => (y) { y = Scan <num_scan_inputs = 2, body = b (e, f) => (r) { r = Relu (e) }> (x, z) }"),
      HasSubstr("lengths of the scan inputs: 3 and 4 differ"));
  EXPECT_THAT(
      refused("g (float[2] i, float[4,3] x) => (y) { y = Scan <num_scan_inputs = 1, body = b (s, e) => (r) { r = Relu (e) }> (i, x) }"),
      HasSubstr("state variable 0, before and after a step: 2 and 3 differ"));
}

TEST(If, FollowsTheBranchThatIsAlwaysTaken) {
  const auto with = [](std::string_view condition) {
    return "g (float[6] x) => (y) <bool c = {" + std::string(condition) +
           "}> { y = If (c) <then_branch = t () => (a) { a = Relu (x) }, else_branch = e () => (b) { s = Constant <value = int64[1] {-1}> "
           "()\n"
           " u = Constant <value = int64[1] {7}> ()\n w = Expand (x, u)\n b = Reshape (w, s) }> }";
  };
  EXPECT_EQ(inferred(with("1")), "float[6]");
  EXPECT_THAT(refused(with("0")), HasSubstr("Expand"));
}

TEST(Loop, MayFillAnOptional) {
  EXPECT_EQ(inferred("g (int64 n, bool c0, optional(seq(float)) o, float[2] x) => (seq(float) y) { y = Loop <body = b (int64 i, bool c, "
                     "optional(seq(float)) s) => (c, t) { q = OptionalGetElement (s)\n t = SequenceInsert (q, x) }> (n, c0, o) }"),
            "seq(float)");
}

}  // namespace
}  // namespace sardonyx::infer
