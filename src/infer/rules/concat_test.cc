#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Concat, SizesAddUpAlongTheAxis) {
  expect_inferred({
      {"float[N, 3] a, float[N, 4] b", "", "y = Concat <axis = 1> (a, b)", "float[N,7]"},
      {"float[N, 3] a, float[2, 4] b", "", "y = Concat <axis = -1> (a, b)", "float[2,7]"},
      {"float[2, 3] a, float[2, K] b", "", "y = Concat (a, b)", "float[2,?]", 1},
      {"float[2, K] a", "", "y = Concat <axis = 1> (a)", "float[2,K]", 4},
      {"float[2, 3] a, float[] b", "", "y = Concat <axis = 1> (a, b)", "float[2,?]"},
      {"float[] a", "", "y = Concat <axis = 1> (a)", "float[]"},
      {"float[9223372036854775807] a", "", "y = Concat <axis = 0> (a, a)", "float[?]"},
  });
  expect_refused({
      {"float[2, 3] a, float[3, 4] b", "", "y = Concat <axis = 1> (a, b)", "2 and 3 differ"},
      {"float[2, 3] a, float[2] b", "", "y = Concat <axis = 0> (a, b)", "another rank"},
      {"float[2, 3] a", "", "y = Concat <axis = 2> (a)", "axis 2 is not within"},
      {"float[2, 3] a", "", "y = Concat (a)", "'axis' is missing"},
  });
  EXPECT_EQ(elements_of_vector("float[N, 3] x, int64[1] k", "int64[2] c = {8, 9}", "s = Shape (x)\ne = Concat <axis = 0> (c, k, s)"),
            "[8,9,?,N,3]");
}

TEST(Split, Versions) {
  expect_inferred({
      {"float[N, 7] x", "", "y, z = Split <axis = 1, split = [3, 4]> (x)", "float[N,3]", 2},
      {"float[N, 6] x", "", "z, y = Split <axis = 1> (x)", "float[N,3]", 11},
      {"float[N, 7] x", "int64[2] s = {3, 4}", "z, y = Split <axis = -1> (x, s)", "float[N,4]", 13},
      {"float[N, 7] x", "", "a, b, y = Split <axis = 1, num_outputs = 3> (x)", "float[N,1]"},
      {"float[N, 7] x", "", "y, b, c = Split <axis = 1, num_outputs = 3> (x)", "float[N,3]"},
      {"float[N, 5] x", "", "a, b, c, y = Split <axis = 1, num_outputs = 4> (x)", "float[N,?]"},
      {"float[N, 7] x", "", "y, z = Split <num_outputs = 2> (x)", "float[?,7]"},
      {"float[N, 7] x", "int64[2] s = {3, 4}", "y, z = Split (x, s)", "float[3,7]"},
      {"float[N, 7] x, int64[2] s", "", "y, z = Split <axis = 1> (x, s)", "float[N,?]"},
      {"float[] x", "", "y, z = Split <num_outputs = 2> (x)", "float[]"},
      {"float[5] x", "", "y = Split <num_outputs = 9223372036854775807> (x)", "float[?]"},
  });
}

TEST(Split, RefusesContradictions) {
  expect_refused({
      {"float[N, 7] x", "int64[2] s = {3, 3}", "y, z = Split <axis = 1> (x, s)", "7 and 6 differ"},
      {"float[N, 7] x", "int64[3] s = {3, 3, 1}", "y, z = Split <axis = 1> (x, s)", "'split' has 3 sizes, the node has 2 outputs"},
      {"float[N, 7] x", "int64[2] s = {8, -1}", "y, z = Split <axis = 1> (x, s)", "the negative size -1"},
      {"float[N, 7] x", "", "y, z = Split <axis = 1> (x)", "7 cannot be split into 2 equal parts", 13},
      {"float[N, 7] x", "", "y, z = Split <axis = 1> (x)", "neither input 1 ('split') nor attribute 'num_outputs'"},
      {"float[N, 7] x", "", "y, z = Split <axis = 1, num_outputs = 0> (x)", "must be at least 1"},
      {"float[N, 7] x", "", "y, z = Split <axis = 1, num_outputs = 1> (x)", "'num_outputs' is 1, the node has 2 outputs"},
      {"float[N, 7] x", "int64[2] s = {3, 4}", "y, z = Split <axis = 1, num_outputs = 2> (x, s)", "both"},
      {"float[N, 7] x", "", "y, z = Split <axis = 2, num_outputs = 2> (x)", "axis 2 is not within"},
  });
}

TEST(Split, Elements) {
  EXPECT_EQ(elements_of_vector("float[N, 3, 5] x", "int64[2] c = {1, 2}", "s = Shape (x)\nd, e = Split (s, c)"), "[3,5]");
  EXPECT_EQ(elements_of_vector("float[N, 3] x", "", "s = Shape (x)\ne, d = Split <num_outputs = 2> (s)"), "[N]");
}

}  // namespace
}  // namespace sardonyx::infer
