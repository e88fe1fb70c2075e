#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Elementwise, UnaryKeepsShape) {
  expect_inferred({
      {"float[N, 3] x", "", "y = Exp (x)", "float[N,3]"},
      {"float[N, 3] x", "", "y = Relu <consumed_inputs: ints = [0]> (x)", "float[N,3]", 1},
      {"float16[?, 3] x", "", "y = Gelu (x)", "float16[?,3]"},
      {"float[] x", "", "y = Sigmoid (x)", "float[]"},
      {"float x", "", "y = Neg (x)", "float"},
      {"float[2] x", "", "y = IsNaN (x)", "bool[2]"},
      {"bool[2] x", "", "y = Not (x)", "bool[2]"},
      {"int32[2] x", "", "y = BitwiseNot (x)", "int32[2]"},
      {"float[2, 3] x, float[3] slope", "", "y = PRelu (x, slope)", "float[2,3]"},
      {"seq(float[2]) x", "", "y = Identity (x)", "seq(float[2])"},
  });
}

TEST(Elementwise, BinaryBroadcasts) {
  expect_inferred({
      {"float[N, 1, 3] a, float[4, 1] b", "", "y = Add (a, b)", "float[N,4,3]"},
      {"float[N] a, float[M] b", "", "y = Mul (a, b)", "float[?]"},
      {"float[N] a, float[N] b", "", "y = Sub (a, b)", "float[N]"},
      {"float[N] a, float[5] b", "", "y = Div (a, b)", "float[5]"},
      {"float[] a, float[5] b", "", "y = Pow (a, b)", "float[]"},
      {"float[2, 1] a, float[3] b", "", "y = Less (a, b)", "bool[2,3]"},
      {"float[2, 1] a, float[3] b", "", "y = GreaterOrEqual (a, b)", "bool[2,3]"},
      {"bool[2, 1] a, bool[3] b", "", "y = Xor (a, b)", "bool[2,3]"},
      {"uint8[2, 1] a, uint8[3] b", "", "y = BitShift <direction = \"LEFT\"> (a, b)", "uint8[2,3]"},
      {"int32[2, 1] a, int32[3] b", "", "y = BitwiseAnd (a, b)", "int32[2,3]"},
      {"bool[2, 1] c, float[3] a, float b", "", "y = Where (c, a, b)", "float[2,3]"},
      {"float[2, 1] a, float[3] b, float[4, 1, 1] c", "", "y = Sum (a, b, c)", "float[4,2,3]"},
      {"float[2, 1] a, float[3] b", "", "y = Mean (a, b)", "float[2,3]"},
  });
  expect_refused({
      {"float[2] a, float[3] b", "", "y = Add (a, b)", "shapes [2] and [3] cannot be broadcast"},
      {"float[2] a, float[3] b, float c", "", "y = Max (a, b, c)", "cannot be broadcast"},
      {"bool[2] c, float[3] a, float b", "", "y = Where (c, a, b)", "cannot be broadcast"},
  });
}

TEST(Elementwise, BeforeBroadcastingTheFirstInputTells) {
  expect_inferred({
      {"float[2, 3, 4] a, float[3] b", "", "y = Add <broadcast = 1, axis = 1> (a, b)", "float[2,3,4]", 6},
      {"float[] a, float[3] b", "", "y = Mul (a, b)", "float[3]", 1},
      {"float[] a, float[3] b", "", "y = Mul <broadcast = 1> (a, b)", "float[]", 1},
      {"float[2, 3] a, float[3] b", "", "y = Less <broadcast = 1> (a, b)", "bool[2,3]", 1},
      {"float[2, 3] a, float[2, 3] b", "", "y = Max (a, b)", "float[2,3]", 6},
      {"float[] a, float[2, 3] b", "", "y = Sum (a, b)", "float[2,3]", 6},
  });
}

TEST(Elementwise, CastsGiveTheType) {
  expect_inferred({
      {"float[N] x", "", "y = Cast <to = 7> (x)", "int64[N]"},
      {"float[N] x", "", "y = Cast <to = \"INT64\"> (x)", "int64[N]", 1},
      {"float[N] x", "", "y = Cast <to = 10> (x)", "float16[N]", 6},
      {"float[N] x, double t", "", "y = CastLike (x, t)", "double[N]"},
      {"float[N] x", "", "y = BitCast <to = 6> (x)", "int32[N]"},
      {"float[] x", "", "y = Cast <to = 9> (x)", "bool[]"},
  });
  expect_refused({
      {"float[N] x", "", "y = Cast <to = 99> (x)", "'to' is 99, which is no element type"},
      {"float[N] x", "", "y = Cast <to = -9223372036854775808> (x)", "no element type"},
      {"float[N] x", "", "y = Cast <to = \"QUARTER\"> (x)", "names no element type", 1},
      {"float[N] x", "", "y = Cast (x)", "'to', the type to cast to, is missing"},
      {"float[N] x", "", "y = BitCast <to = 7> (x)", "float has 32 bits, one of int64 has 64"},
  });
}

TEST(Elementwise, DropoutHasAMask) {
  expect_inferred({
      {"float[N, 3] x", "", "d, y = Dropout (x)", "bool[N,3]"},
      {"float[N, 3] x", "", "d, y = Dropout (x)", "bool[N,3]", 10},
      {"float[N, 3] x", "", "d, y = Dropout (x)", "float[N,3]", 7},
      {"float[N, 3] x, float ratio", "", "y, m = Dropout (x, ratio)", "float[N,3]", 12},
  });
  expect_refused({{"float[3] x, float[2] ratio", "", "y = Dropout (x, ratio)", "input 1 ('ratio') must have rank 0"}});
}

TEST(Elementwise, ArithmeticOnSizes) {
  const auto binary = [](const char* inputs, const char* constants, const std::string& op) {
    return elements_of_vector(inputs, constants, "s = Shape (x)\n" + op);
  };
  EXPECT_EQ(binary("float[N, 7] x", "int64 k = {2}", "e = Mul (s, k)"), "[?,14]");
  EXPECT_EQ(binary("float[N, 7] x", "int64[2] k = {1, 2}", "e = Mul (s, k)"), "[N,14]");
  EXPECT_EQ(binary("float[N, 7] x", "int64[1] k = {0}", "e = Add (s, k)"), "[N,7]");
  EXPECT_EQ(binary("float[N, 7] x", "", "e = Sub (s, s)"), "[0,0]");
  EXPECT_EQ(binary("float[N, 7] x", "int64[2] k = {1, 2}", "e = Div (s, k)"), "[N,3]");
  EXPECT_EQ(binary("float[N, 7] x", "int64[2] k = {1, 4}", "e = Mod (s, k)"), "[0,3]");
  EXPECT_EQ(binary("float[2, 3] x", "int64 k = {3}", "e = Pow (s, k)"), "[8,27]");
  EXPECT_EQ(binary("float[N, 7] x", "int64[2] k = {0, 9}", "e = Max (s, k)"), "[N,9]");
  EXPECT_EQ(binary("float[N, 7] x", "int64[2] k = {0, 5}", "e = Min (s, k)"), "[0,5]");
  EXPECT_EQ(binary("float[2, 7] x", "int64 low = {3}, int64 high = {5}", "e = Clip (s, low, high)"), "[3,5]");
  EXPECT_EQ(binary("float[N, 7] x", "float[2] k = {1, 9}", "f = Cast <to = 1> (s)\nt = Sum (f, k, k)\ne = Cast <to = 7> (t)"), "[?,25]");
  EXPECT_EQ(binary("float[4, 7] x", "int64 axis = {0}", "e = CumSum (s, axis)"), "[4,11]");
  EXPECT_EQ(binary("float[4, 7] x", "int64 axis = {0}", "e = CumSum <exclusive = 1, reverse = 1> (s, axis)"), "[7,0]");
  EXPECT_EQ(binary("float[4, 7] x", "", "n = Neg (s)\ne = Abs (n)"), "[4,7]");
}

TEST(Elementwise, ArithmeticThatDoesNotFitIsUnknown) {
  EXPECT_EQ(elements_of_vector("float[1] x", "int64[2] k = {9223372036854775807, 2}", "e = Mul (k, k)"), "[?,4]");
  EXPECT_EQ(elements_of_vector("float[1] x", "int64[2] k = {9223372036854775807, 2}", "e = Add (k, k)"), "[?,4]");
  EXPECT_EQ(elements_of_vector("float[1] x", "int64[2] k = {-9223372036854775808, 2}", "m = Neg (k)\ne = Abs (m)"), "[?,2]");
  EXPECT_EQ(elements_of_vector("float[1] x", "int64[2] k = {-9223372036854775808, 6}, int64[2] d = {-1, 0}", "e = Div (k, d)"), "[?,?]");
  EXPECT_EQ(elements_of_vector("float[1] x", "int64[2] k = {-9223372036854775808, 6}, int64[2] d = {-1, 4}", "e = Mod (k, d)"), "[0,2]");
  EXPECT_EQ(elements_of_vector("float[1] x", "int64[2] k = {10, 2}, int64 p = {9223372036854775807}", "e = Pow (k, p)"), "[?,?]");
  EXPECT_EQ(elements_of_vector("float[1] x", "int32[2] k = {65536, 2}", "w = Mul (k, k)\ne = Cast <to = 7> (w)"), "[?,4]");
}

TEST(Elementwise, SizesPassThroughFloatsWhereTheyAreWhole) {
  const char* to_float = "s = Shape (x)\nf = Cast <to = 1> (s)\n";
  const auto scaled = [&](const char* constants, const std::string& op) {
    return elements_of_vector("float[N, 7] x", constants, to_float + op + "\ne = Cast <to = 7> (g)");
  };
  EXPECT_EQ(scaled("float k = {2}", "g = Mul (f, k)"), "[?,14]");
  EXPECT_EQ(scaled("float[2] k = {1, 0.5}", "g = Mul (f, k)"), "[N,?]");
  EXPECT_EQ(scaled("float[2] k = {1, 2}", "h = Div (f, k)\ng = Floor (h)"), "[N,?]");
  EXPECT_EQ(scaled("float[2] k = {1, 7}", "h = Div (f, k)\ng = Ceil (h)"), "[N,1]");
  EXPECT_EQ(elements_of_vector("float[N, 49] x", "", std::string(to_float) + "g = Sqrt (f)\ne = Cast <to = 7> (g)"), "[?,7]");
  EXPECT_EQ(elements_of_vector("float[16777217, 5] x", "", std::string(to_float) + "e = Cast <to = 7> (f)"), "[?,5]");
  EXPECT_EQ(elements_of_vector("float[300, N] x", "", "s = Shape (x)\nb = Cast <to = 2> (s)\ne = Cast <to = 7> (b)"), "[?,?]");
}

TEST(Elementwise, ChoicesBetweenSizes) {
  // What exporters write for an expand to (-1, 4): -1 is replaced by the size that is there.
  const char* nodes =
      "s = Shape (x)\nminus = Constant <value_int = -1> ()\nis_kept = Equal (wanted, minus)\ne = Where (is_kept, s, wanted)";
  EXPECT_EQ(elements_of_vector("float[N, 1] x", "int64[2] wanted = {-1, 4}", nodes), "[N,4]");
  const auto compared = [](const char* op) {
    return elements_of_vector("float[N, 7] x", "int64[2] k = {-1, 8}", std::string("s = Shape (x)\nc = ") + op + "\ne = Cast <to = 7> (c)");
  };
  EXPECT_EQ(compared("Less (s, k)"), "[0,1]");
  EXPECT_EQ(compared("Greater (s, k)"), "[1,0]");
  EXPECT_EQ(compared("LessOrEqual (s, k)"), "[0,1]");
  EXPECT_EQ(compared("GreaterOrEqual (s, k)"), "[1,0]");
  EXPECT_EQ(compared("Equal (s, s)"), "[1,1]");
  EXPECT_EQ(elements_of_vector("float[1] x", "bool[4] a = {0, 0, 1, 1}, bool[4] b = {0, 1, 0, 1}", "c = And (a, b)\ne = Cast <to = 7> (c)"),
            "[0,0,0,1]");
  EXPECT_EQ(elements_of_vector("float[1] x", "bool[4] a = {0, 0, 1, 1}, bool[4] b = {0, 1, 0, 1}", "c = Or (a, b)\ne = Cast <to = 7> (c)"),
            "[0,1,1,1]");
  EXPECT_EQ(
      elements_of_vector("float[1] x", "bool[2] a = {0, 1}, bool[2] b = {1, 1}", "c = Xor (a, b)\nd = Not (c)\ne = Cast <to = 7> (d)"),
      "[0,1]");
}

}  // namespace
}  // namespace sardonyx::infer
