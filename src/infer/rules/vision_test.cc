#include "infer/rules/network_case.h"

namespace sardonyx::infer {
namespace {

using testing::HasSubstr;

TEST(ResizeRule, Scales) {
  check({
      {"(float[N,C,5,W] x) => (y) <float[4] s = {1, 1, 1.5, 2}> { y = Resize (x, , s) }", "float[N,C,7,?]"},
      {"(float[N,C,5,W] x) => (y) <float[4] s = {1, 1, 1.5, 2}> { y = Resize (x, s) }", "float[N,C,7,?]", 10},
      {"(float[N,C,5,W] x) => (y) <float[4] s = {1, 1, 1.5, 2}> { y = Upsample (x, s) }", "float[N,C,7,?]", 9},
      {"(float[N,C,5,W] x) => (y) { y = Upsample <scales = [1.0, 1.0, 1.5, 1.0]> (x) }", "float[N,C,7,W]", 7},
      {"(float[N,C,5,6] x) => (y) { y = Upsample <height_scale = 2.0, width_scale = 1.5> (x) }", "float[N,C,10,9]", 1},
      {"(float[N,C,5,W] x) => (y) <float[1] s = {2}> { y = Resize <axes = [-2]> (x, , s) }", "float[N,C,10,W]"},
      {"(float[N,C,5,W] x, float[1] s) => (y) { y = Resize <axes = [2]> (x, , s) }", "float[N,C,?,W]", 18},
      {"(float[2,3] x) => (y) <float[2] s = {-1, 1e30}> { y = Resize (x, , s) }", "float[?,?]"},
      {"(float[2,3] x) => (y) <float[0] r = {}, float[2] s = {2, 2}> { y = Resize (x, r, s) }", "float[4,6]", 11},
  });
  EXPECT_THAT(refused("g (float[2,3] x) => (y) <float[1] s = {2}> { y = Resize (x, , s) }"), HasSubstr("1 elements for 2 axes"));
  EXPECT_THAT(refused("g (float[2,3] x) => (y) { y = Upsample <scales = [2.0]> (x) }", 7), HasSubstr("1 elements for 2 axes"));
}

TEST(ResizeRule, Sizes) {
  const std::string sizes = "(float[N,C,4,8] x) => (y) <int64[2] s = {10, 10}> { y = Resize <axes = [2, 3], keep_aspect_ratio_policy = ";
  check({
      {"(float[N,C,5,W] x) => (y) <int64[4] s = {1, 2, 7, 9}> { y = Resize (x, , , s) }", "float[1,2,7,9]"},
      {"(float[N,C,5,W] x) => (y) <float[0] e = {}, int64[4] s = {1, 2, 0, -9}> { y = Resize (x, e, e, s) }", "float[1,2,?,?]", 11},
      {sizes + "\"stretch\"> (x, , , s) }", "float[N,C,10,10]"},
      {sizes + "\"not_larger\"> (x, , , s) }", "float[N,C,5,10]"},
      {sizes + "\"not_smaller\"> (x, , , s) }", "float[N,C,10,20]", 18},
      {"(float[N,C,0,W] x) => (y) <int64[1] s = {10}> { y = Resize <axes = [2], keep_aspect_ratio_policy = \"not_larger\"> (x, , , s) }",
       "float[N,C,?,W]"},
      {"(float[N,C,5,W] x, int64[4] s) => (y) { y = Resize (x, , , s) }", "float[?,?,?,?]"},
  });
  EXPECT_THAT(refused("g (float[2] x, int64[1] s, float[1] f) => (y) { y = Resize (x, , f, s) }"), HasSubstr("are both"));
  EXPECT_THAT(refused("g (float[2] x) => (y) { y = Resize (x) }"), HasSubstr("is neither"));
  EXPECT_THAT(refused("g (float[2] x, int64[2] s) => (y) { y = Resize (x, , , s) }"), HasSubstr("2 elements for 1 axes"));
  EXPECT_THAT(refused("g (float[2] x, int64[1] s) => (y) { y = Resize <keep_aspect_ratio_policy = \"no\"> (x, , , s) }"),
              HasSubstr("not_larger or not_smaller"));
  EXPECT_THAT(refused("g (float[2] x, float[1] s) => (y) { y = Resize <keep_aspect_ratio_policy = \"not_larger\"> (x, , s) }"),
              HasSubstr("needs sizes"));
  EXPECT_THAT(refused("g (float[2,2] x, int64[2] s) => (y) { y = Resize <axes = [0, -2]> (x, , , s) }"), HasSubstr("names axis 0 twice"));
  EXPECT_THAT(refused("g (float[2,2] x, int64[2] s) => (y) { y = Resize <axes = [0, 2]> (x, , , s) }"), HasSubstr("axis 2"));
}

TEST(SamplingRules, Grids) {
  check({
      {"(float[N,C,H,W] x, float[3,5,6,2] grid) => (y) { y = GridSample (x, grid) }", "float[3,C,5,6]", 16},
      {"(float[N,C,D,H,W] x, float[N,A,B,E,3] grid) => (y) { y = GridSample (x, grid) }", "float[N,C,A,B,E]"},
      {"(float[2,2,3] t) => (y) <int64[4] s = {2, 3, 5, 6}> { y = AffineGrid (t, s) }", "float[2,5,6,2]"},
      {"(float[2,3,4] t) => (y) <int64[5] s = {2, 3, 4, 5, -6}> { y = AffineGrid (t, s) }", "float[2,4,5,?,3]"},
      {"(float[2,3,4] t, int64[5] s) => (y) { y = AffineGrid (t, s) }", "float[?,?,?,?,3]"},
      {"(float[2,3,4] t, int64[n] s) => (y) { y = AffineGrid (t, s) }", "float[]"},
  });
  EXPECT_THAT(refused("g (float[1,1,2,2] x, float[1,2,2,3] grid) => (y) { y = GridSample (x, grid) }"), HasSubstr("3 and 2 differ"));
  EXPECT_THAT(refused("g (float[1,1,2,2] x, float[2,2,2,2] grid) => (y) { y = GridSample (x, grid) }"), HasSubstr("batch of X and grid"));
  EXPECT_THAT(refused("g (float[1,1,2] x, float[1,2,2,2] grid) => (y) { y = GridSample (x, grid) }"), HasSubstr("must have rank 3"));
  EXPECT_THAT(refused("g (float[2,2,3] t) => (y) <int64[3] s = {2, 3, 5}> { y = AffineGrid (t, s) }"), HasSubstr("has 3 elements"));
}

TEST(SamplingRules, Col2Im) {
  check({
      {"(float[N,12,L] x) => (y) <int64[2] i = {5, 6}, int64[2] b = {2, 2}> { y = Col2Im (x, i, b) }", "float[N,3,5,6]"},
      {"(float[N,12,L] x, int64[3] i, int64[n] b) => (y) { y = Col2Im (x, i, b) }", "float[N,?,?,?,?]"},
      {"(float[N,12,L] x, int64[n] i, int64[n] b) => (y) { y = Col2Im <strides = [1, 1]> (x, i, b) }", "float[N,?,?,?]"},
      {"(float[N,12,L] x, int64[9223372036854775807] i, int64[n] b) => (y) { y = Col2Im (x, i, b) }", "float[]"},
      {"(float[N,12,L] x, int64[2] i) => (y) <int64[2] b = {0, -2}> { y = Col2Im (x, i, b) }", "float[N,?,?,?]"},
  });
  EXPECT_THAT(refused("g (float[1,4,2] x, int64[2] i, int64[2] b) => (y) { y = Col2Im <pads = [1, 1, 1]> (x, i, b) }"), HasSubstr("even"));
  EXPECT_THAT(refused("g (float[1,4,2] x, int64[2] i, int64[3] b) => (y) { y = Col2Im (x, i, b) }"), HasSubstr("2 and 3 differ"));
  EXPECT_THAT(refused("g (float[4,2] x, int64[2] i, int64[2] b) => (y) { y = Col2Im (x, i, b) }"), HasSubstr("must have rank 3"));
}

TEST(RegionRules, PoolsAndSelections) {
  check({
      {"(float[N,C,H,W] x, float[R,5] r) => (y) { y = MaxRoiPool <pooled_shape = [2,3]> (x, r) }", "float[R,C,2,3]"},
      {"(float[N,C,H,W] x, float[R,4] r, int64[7] b) => (y) { y = RoiAlign <output_height = 3> (x, r, b) }", "float[7,C,3,1]", 10},
      {"(float[1,N,4] b, float[1,C,N] s) => (y) { y = NonMaxSuppression (b, s) }", "int64[?,3]", 10},
      {"(uint8[n] x) => (y) { y = ImageDecoder (x) }", "uint8[?,?,3]"},
      {"(uint8[n] x) => (y) { y = ImageDecoder <pixel_format = \"Grayscale\"> (x) }", "uint8[?,?,1]"},
  });
  EXPECT_THAT(refused("g (float[1,1,2,2] x, float[2,5] r) => (y) { y = MaxRoiPool <pooled_shape = [2,0]> (x, r) }"),
              HasSubstr("pooled_shape is [2, 0]"));
  EXPECT_THAT(refused("g (float[1,1,2,2] x, float[R,4] r, int64[R] b) => (y) { y = RoiAlign <output_width = -3> (x, r, b) }"),
              HasSubstr("output_width is -3"));
  EXPECT_THAT(refused("g (float[1,1,2,2] x, float[2,4] r, int64[3] b) => (y) { y = RoiAlign (x, r, b) }"), HasSubstr("2 and 3 differ"));
  EXPECT_THAT(refused("g (uint8[2,2] x) => (y) { y = ImageDecoder (x) }"), HasSubstr("must have rank 1"));
}

}  // namespace
}  // namespace sardonyx::infer
