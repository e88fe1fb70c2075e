#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Pad, Versions) {
  expect_inferred({
      {"float[N, 3] x", "", "y = Pad <paddings = [0, 1, 0, 2]> (x)", "float[N,6]", 1},
      {"float[N, 3] x", "", "y = Pad <pads = [1, 1, 0, -2]> (x)", "float[?,2]", 2},
      {"float[N, 3] x", "int64[4] p = {0, 1, 0, 2}", "y = Pad (x, p)", "float[N,6]", 11},
      {"float[N, 3] x", "int64[2] p = {1, 2}, int64[1] a = {-1}", "y = Pad (x, p, , a)", "float[N,6]"},
      {"float[N, 3] x, int64[2] p", "int64[1] a = {-1}", "y = Pad (x, p, , a)", "float[N,?]"},
      {"float[N, 3] x, int64[4] p", "", "y = Pad (x, p)", "float[?,?]"},
      {"float[N, 3] x, int64[1] a", "int64[2] p = {1, 2}", "y = Pad (x, p, , a)", "float[?,?]"},
      {"float[N, 3] x", "int64[4] p = {0, 9223372036854775807, 0, 9223372036854775807}", "y = Pad (x, p)", "float[N,?]"},
  });
  expect_refused({
      {"float[N, 3] x", "int64[3] p = {0, 1, 0}", "y = Pad (x, p)", "'pads' has 3 elements, 2 axes need 4"},
      {"float[N, 3] x", "int64[4] p = {0, -2, 0, -2}", "y = Pad (x, p)", "leave nothing of a size of 3"},
      {"float[N, 3] x", "int64[4] p = {0, 0, 0, 0}, int64[2] a = {1, -1}", "y = Pad (x, p, , a)", "axis 1 is given more than once"},
      {"float[N, 3] x", "", "y = Pad (x)", "'pads' is missing", 2},
  });
}

TEST(Pad, CenterCropPad) {
  expect_inferred({
      {"float[N, 3, 4] x", "int64[2] s = {7, 2}", "y = CenterCropPad <axes = [-1, 1]> (x, s)", "float[N,2,7]"},
      {"float[N, 3] x, int64[2] s", "", "y = CenterCropPad (x, s)", "float[?,?]"},
      {"float[N, 3] x, float[5, M] z", "", "s = Shape (z)\ny = CenterCropPad (x, s)", "float[5,M]"},
  });
  expect_refused({
      {"float[N, 3, 4] x", "int64[2] s = {7, 2}", "y = CenterCropPad (x, s)", "has 2 sizes for 3 axes"},
      {"float[N, 3] x", "int64[2] s = {7, -2}", "y = CenterCropPad (x, s)", "negative size -2"},
  });
}

TEST(Pad, ExpandAndTile) {
  expect_inferred({
      {"float[N, 1, 3] x", "int64[2] s = {4, 1}", "y = Expand (x, s)", "float[N,4,3]"},
      {"float[1] x, float[N, M] z", "", "s = Shape (z)\ny = Expand (x, s)", "float[N,M]", 8},
      {"float[3] x, int64[2] s", "", "y = Expand (x, s)", "float[?,3]"},
      {"float[3] x, int64[K] s", "", "y = Expand (x, s)", "float[]"},
      {"float[N, 3] x", "int64[2] r = {1, 4}", "y = Tile (x, r)", "float[N,12]"},
      {"float[N, 3] x", "int64[2] r = {2, 4611686018427387904}", "y = Tile (x, r)", "float[?,?]"},
      {"float[N, 3] x, int64[2] r", "", "y = Tile (x, r)", "float[?,?]", 6},
      {"float[N, 3] x", "float t = {2}, float a = {1}", "y = Tile (x, t, a)", "float[N,6]", 1},
      {"float[N, 3] x, float t, float a", "", "y = Tile (x, t, a)", "float[?,?]", 1},
  });
  expect_refused({
      {"float[2, 3] x", "int64[2] s = {4, 1}", "y = Expand (x, s)", "cannot be broadcast"},
      {"float[N, 3] x", "int64[1] r = {4}", "y = Tile (x, r)", "has 1 elements, the input has rank 2"},
      {"float[N, 3] x", "int64[2] r = {4, -1}", "y = Tile (x, r)", "has the negative -1"},
      {"float[N, 3] x, int64[2, 1] r", "", "y = Tile (x, r)", "must have rank 1"},
  });
  EXPECT_EQ(elements_of_vector("float[1] x", "int64[1] k = {7}, int64[1] n = {3}", "e = Expand (k, n)"), "[7,7,7]");
  EXPECT_EQ(elements_of_vector("float[1] x", "int64[2] k = {7, 8}, int64[1] n = {2}", "e = Tile (k, n)"), "[7,8,7,8]");
  EXPECT_EQ(elements_of_vector("float[1] x", "int64[1] k = {7}, int64[1] n = {9223372036854775807}", "e = Tile (k, n)"), "[]");
}

}  // namespace
}  // namespace sardonyx::infer
