#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Reshape, FollowsTheShape) {
  expect_inferred({
      {"float[2, 3, 4] x", "", "y = Reshape <shape = [6, -1]> (x)", "float[6,4]", 1},
      {"float[2, 3, 4] x", "int64[2] s = {0, -1}", "y = Reshape (x, s)", "float[2,12]", 5},
      {"float[N, 2, 3] x", "int64[2] s = {0, -1}", "y = Reshape (x, s)", "float[N,6]"},
      {"float[N, 2, 3] x", "int64[2] s = {-1, 6}", "y = Reshape (x, s)", "float[N,6]"},
      {"float[N, 2, 3] x", "int64[2] s = {-1, 3}", "y = Reshape (x, s)", "float[?,3]"},
      {"float[?, 2, 3] x", "int64[2] s = {0, -1}", "y = Reshape (x, s)", "float[?,6]"},
      {"float[N, M, 3] x", "int64[3] s = {0, -1, 3}", "y = Reshape (x, s)", "float[N,M,3]"},
      {"float[] x", "int64[2] s = {2, -1}", "y = Reshape (x, s)", "float[2,?]"},
      {"float[N, 3] x, int64[3] s", "", "y = Reshape (x, s)", "float[?,?,?]"},
      {"float[4, 3] x, int64[1] s", "", "y = Reshape (x, s)", "float[12]"},
      {"float[N, 3] x, int64[K] s", "", "y = Reshape (x, s)", "float[]"},
      {"float[0, 3] x", "int64[2] s = {0, 3}", "y = Reshape <allowzero = 1> (x, s)", "float[0,3]"},
      {"float[0, 3] x", "int64[2] s = {3, -1}", "y = Reshape <allowzero = 1> (x, s)", "float[3,0]"},
      {"float[4611686018427387904, 4] x", "int64[2] s = {2, -1}", "y = Reshape (x, s)", "float[2,?]"},
  });
}

TEST(Reshape, RefusesContradictions) {
  expect_refused({
      {"float[2, 3] x", "int64[2] s = {4, -1}", "y = Reshape (x, s)", "an input of shape [2, 3] cannot get the shape [4, -1]"},
      {"float[2, 3] x", "int64[2] s = {-1, -1}", "y = Reshape (x, s)", "more than one -1"},
      {"float[2, 3] x", "int64[2] s = {-2, 3}", "y = Reshape (x, s)", "negative size other than -1"},
      {"float[2, 3] x", "int64[3] s = {2, 3, 0}", "y = Reshape (x, s)", "takes over size 2 of the input"},
      {"float[2, 3] x", "int64[2] s = {0, -1}", "y = Reshape <allowzero = 1> (x, s)", "has a 0, so that -1 can be anything"},
      {"float[2, 3] x, int64[1, 2] s", "", "y = Reshape (x, s)", "must have rank 1"},
  });
}

TEST(Reshape, FollowsShapesThatNodesCompute) {
  expect_inferred({
      {"float[N, 3, 4] x, float[N, 12] z", "", "s = Shape (x)\ny = Reshape (z, s)", "float[N,3,4]"},
      {"float[N, 3, 4] x", "int64[1] zero = {0}, int64[1] rest = {-1}",
       "s = Shape (x)\nn = Gather (s, zero)\nt = Concat <axis = 0> (n, rest)\ny = Reshape (x, t)", "float[N,12]"},
      {"float[N, 3, 4] x, int64[1] k", "int64[2] rest = {3, 4}", "t = Concat <axis = 0> (k, rest)\ny = Reshape (x, t)", "float[N,3,4]"},
  });
}

TEST(Reshape, Flatten) {
  expect_inferred({
      {"float[N, 3, 4] x", "", "y = Flatten (x)", "float[N,12]"},
      {"float[N, 3, 4] x", "", "y = Flatten <axis = 0> (x)", "float[1,?]", 1},
      {"float[N, 3, 4] x", "", "y = Flatten <axis = -1> (x)", "float[?,4]"},
      {"float[N, 0, 4] x", "", "y = Flatten <axis = 3> (x)", "float[0,1]"},
      {"float[] x", "", "y = Flatten (x)", "float[?,?]"},
      {"float[9223372036854775807, 9223372036854775807] x", "", "y = Flatten <axis = 0> (x)", "float[1,?]"},
  });
  expect_refused({
      {"float[N, 3] x", "", "y = Flatten <axis = 3> (x)", "axis 3 is not within [-2, 2]"},
      {"float[N, 3] x", "", "y = Flatten <axis = -1> (x)", "axis -1 is not within [0, 2]", 9},
      {"float[N, 3] x", "", "y = Flatten <axis = -9223372036854775808> (x)", "is not within"},
  });
}

TEST(Reshape, SqueezeAndUnsqueeze) {
  expect_inferred({
      {"float[N, 1, 3] x", "", "y = Squeeze <axes = [1]> (x)", "float[N,3]", 1},
      {"float[1, 1, 3] x", "", "y = Squeeze (x)", "float[3]", 11},
      {"float[N, 1, 3] x", "", "y = Squeeze (x)", "float[]"},
      {"float[N, 1, 3] x", "int64[2] a = {-2, 0}", "y = Squeeze (x, a)", "float[3]"},
      {"float[N, 1, 3] x, int64[1] a", "", "y = Squeeze (x, a)", "float[?,?]"},
      {"float[N, 3] x", "", "y = Unsqueeze <axes = [0, 3]> (x)", "float[1,N,3,1]", 1},
      {"float[N, 3] x", "int64[2] a = {-1, 1}", "y = Unsqueeze (x, a)", "float[N,1,3,1]"},
      {"float[N, 3] x, int64[2] a", "", "y = Unsqueeze (x, a)", "float[?,?,?,?]"},
      {"float x, int64[2] a", "", "y = Unsqueeze (x, a)", "float[1,1]"},
      {"float[] x", "int64[2] a = {-1, 1}", "y = Unsqueeze (x, a)", "float[]"},
  });
  expect_refused({
      {"float[N, 2, 3] x", "int64[1] a = {1}", "y = Squeeze (x, a)", "axis 1 cannot be dropped: its size is 2, not 1"},
      {"float[N, 1] x", "int64[1] a = {2}", "y = Squeeze (x, a)", "axis 2 is not within"},
      {"float[N, 1] x", "int64[2] a = {0, 0}", "y = Unsqueeze (x, a)", "axis 0 is given more than once"},
      {"float[N, 1] x", "int64[1] a = {3}", "y = Unsqueeze (x, a)", "axis 3 is not within [-3, 3)"},
  });
}

TEST(Reshape, ShapeAndSize) {
  expect_inferred({
      {"float[N, 3, 4] x", "", "y = Shape (x)", "int64[3]"},
      {"float[N, 3, 4] x", "", "y = Shape <start = 1, end = -1> (x)", "int64[1]"},
      {"float[N, 3, 4] x", "", "y = Shape <start = 2, end = 1> (x)", "int64[0]"},
      {"float[N, 3, 4] x", "", "y = Shape <start = -9223372036854775808, end = 9223372036854775807> (x)", "int64[3]"},
      {"float[] x", "", "y = Shape (x)", "int64[?]"},
      {"float[] x", "", "y = Size (x)", "int64"},
  });
  EXPECT_EQ(elements_of_vector("float[N, 3, ?] x", "", "e = Shape (x)", 9), "[N,3,?]");
  EXPECT_EQ(elements_of_vector("float[N, 3, 4] x", "", "e = Shape <start = -2> (x)"), "[3,4]");
  EXPECT_EQ(elements_of_vector("float[2, 3, 4] x", "int64[1] a = {0}", "n = Size (x)\ne = Unsqueeze (n, a)"), "[24]");
  EXPECT_EQ(elements_of_vector("float[N, 3] x", "int64[1] a = {0}, int64 k = {0}, int64[1] one = {1}",
                               "s = Shape (x)\nn = Gather (s, k)\nu = Unsqueeze (n, a)\nv = Squeeze (u, a)\ne = Reshape (v, one)"),
            "[N]");
}

}  // namespace
}  // namespace sardonyx::infer
