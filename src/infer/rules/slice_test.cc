#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

constexpr const char* kFarEnds =
    "int64[1] far = {9223372036854775807}, int64[1] low = {-9223372036854775808}, int64[1] zero = {0}, "
    "int64[1] one = {1}, int64[1] minus = {-1}, int64[1] two = {2}, int64[1] minus_two = {-2}";

TEST(Slice, Versions) {
  expect_inferred({
      {"float[N, 8] x", "", "y = Slice <axes = [1], starts = [2], ends = [-1]> (x)", "float[N,5]", 1},
      {"float[6, 8] x", "", "y = Slice <starts = [1, 2], ends = [4, 1000]> (x)", "float[3,6]", 1},
      {"float[6, 8] x", "int64[1] s = {1}, int64[1] e = {4}", "y = Slice (x, s, e)", "float[3,8]", 10},
      {"float[6, N] x", "int64[1] s = {1}, int64[1] e = {4}, int64[1] a = {-1}", "y = Slice (x, s, e, a)", "float[6,?]", 11},
      {"float[6, 8] x", "int32[1] s = {1}, int32[1] e = {8}, int32[1] a = {1}, int32[1] k = {3}", "y = Slice (x, s, e, a, k)",
       "float[6,3]"},
      {"float[] x", "int64[1] s = {1}, int64[1] e = {4}", "y = Slice (x, s, e)", "float[]"},
  });
}

TEST(Slice, Steps) {
  expect_inferred({
      {"float[7] x", kFarEnds, "y = Slice (x, zero, far, zero, two)", "float[4]"},
      {"float[7] x", kFarEnds, "y = Slice (x, minus, low, zero, minus)", "float[7]"},
      {"float[7] x", kFarEnds, "y = Slice (x, far, zero, zero, minus_two)", "float[3]"},
      {"float[7] x", kFarEnds, "y = Slice (x, minus, low, zero, low)", "float[1]"},
      {"float[7] x", kFarEnds, "y = Slice (x, zero, far, zero, far)", "float[1]"},
      {"float[7] x", kFarEnds, "y = Slice (x, two, one)", "float[0]"},
      {"float[0] x", kFarEnds, "y = Slice (x, minus, low, zero, minus)", "float[0]"},
  });
}

TEST(Slice, SymbolsStayWhereNothingIsCutOff) {
  expect_inferred({
      {"float[N, 3] x", kFarEnds, "y = Slice (x, zero, far)", "float[N,3]"},
      {"float[N, 3] x", kFarEnds, "y = Slice (x, minus, low, zero, minus)", "float[N,3]"},
      {"float[N, 3] x", kFarEnds, "y = Slice (x, one, far)", "float[?,3]"},
      {"float[N, 3] x", kFarEnds, "y = Slice (x, one, one)", "float[0,3]"},
      {"float[N, 3] x", kFarEnds, "s = Shape (x)\nn = Gather (s, zero)\ny = Slice (x, zero, n)", "float[N,3]"},
      {"float[N, 3] x, int64[1] s, int64[1] e", "", "y = Slice (x, s, e)", "float[?,3]"},
      {"float[N, 3] x, int64[1] s, int64[1] e", kFarEnds, "y = Slice (x, s, e, minus)", "float[N,?]"},
      {"float[N, 3] x, int64[1] a", kFarEnds, "y = Slice (x, zero, one, a)", "float[?,?]"},
  });
}

TEST(Slice, RefusesContradictions) {
  expect_refused({
      {"float[6, 8] x", kFarEnds, "y = Slice (x, one, two, zero, zero)", "the step of axis 0 is 0"},
      {"float[6, 8] x", "int64[2] s = {1, 1}, int64[1] e = {4}", "y = Slice (x, s, e)", "'ends' has 1 elements, 'starts' has 2"},
      {"float[6, 8] x", "int64[2] s = {1, 1}, int64[2] e = {4, 4}, int64[2] a = {0, -2}", "y = Slice (x, s, e, a)",
       "axis 0 is given more than once"},
      {"float[6, 8] x", "int64[1] s = {1}, int64[1] e = {4}, int64[1] a = {2}", "y = Slice (x, s, e, a)", "axis 2 is not within"},
      {"float[6] x", "int64[2] s = {1, 1}, int64[2] e = {4, 4}", "y = Slice (x, s, e)", "2 axes are sliced of an input of rank 1"},
      {"float[6] x", "", "y = Slice <starts = [1]> (x)", "'starts' or 'ends' is missing", 1},
  });
}

TEST(Slice, Elements) {
  const auto sliced = [](const char* op) {
    return elements_of_vector("float[N, 3, 5, 7] x", kFarEnds, std::string("s = Shape (x)\ne = ") + op);
  };
  EXPECT_EQ(sliced("Slice (s, one, far)"), "[3,5,7]");
  EXPECT_EQ(sliced("Slice (s, zero, minus_two)"), "[N,3]");
  EXPECT_EQ(sliced("Slice (s, minus, low, zero, minus)"), "[7,5,3,N]");
  EXPECT_EQ(sliced("Slice (s, zero, far, zero, two)"), "[N,5]");
  EXPECT_EQ(elements_of_vector("float[N, 3] x", "", "s = Shape (x)\ne = Slice <starts = [1], ends = [2]> (s)", 9), "[3]");
}

}  // namespace
}  // namespace sardonyx::infer
