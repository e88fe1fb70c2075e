#include "infer/rules/network_case.h"

namespace sardonyx::infer {
namespace {

using testing::HasSubstr;

TEST(ConvRule, SlidesTheKernel) {
  check({
      {"(float[N,3,32,W] x, float[8,3,3,5] w) => (y) { y = Conv (x, w) }", "float[N,8,30,?]"},
      {"(float[N,3,32,W] x, float[8,3,3,5] w) => (y) { y = Conv <pads = [1,2,1,2]> (x, w) }", "float[N,8,32,W]"},
      {"(float[N,3,32,W] x, float[8,3,3,5] w) => (y) { y = Conv <strides = [2,1], pads = [1,2,1,2]> (x, w) }", "float[N,8,16,W]"},
      {"(float[N,3,32,31] x, float[M,3,3,5] w) => (y) { y = Conv <dilations = [2,3], strides = [1,2]> (x, w) }", "float[N,M,28,10]"},
      {"(float[N,3,W] x, float[8,3,k] w) => (y) { y = Conv <auto_pad = \"SAME_UPPER\"> (x, w) }", "float[N,8,W]"},
      {"(float[N,3,9] x, float[8,3,k] w) => (y) { y = Conv <auto_pad = \"SAME_LOWER\", strides = [2]> (x, w) }", "float[N,8,5]"},
      {"(float[N,3,9] x, float[8,3,4] w) => (y) { y = Conv <auto_pad = \"VALID\", strides = [2]> (x, w) }", "float[N,8,3]"},
      {"(float[N,3,W] x, float[8,3,k] w) => (y) { y = Conv (x, w) }", "float[N,8,?]"},
      {"(float[N,3,W] x, float[] w) => (y) { y = Conv <kernel_shape = [1]> (x, w) }", "float[N,?,W]"},
      {"(float[N,3,W] x, float[8,3,k] w) => (y) { y = Conv <kernel_shape = [1]> (x, w) }", "float[N,8,W]", 1},
      {"(float[N,3,9,9] x, float[8,3,3,3] w, float[1,18,7,7] o) => (y) { y = DeformConv (x, w, o) }", "float[N,8,7,7]"},
      {"(uint8[N,3,9] x, int8[8,3,3] w) => (y) { y = ConvInteger (x, w) }", "int32[N,8,7]"},
      {"(uint8[N,3,9] x, float a, uint8 b, int8[8,3,3] w, float c, int8 d, float e, int8 f) => (y) "
       "{ y = QLinearConv (x, a, b, w, c, d, e, f) }",
       "int8[N,8,7]"},
  });
}

TEST(ConvRule, KnowsNothingOfPadsThatContradictAutoPad) {
  check({{"(float[1,1,9] x, float[1,1,3] w) => (y) { y = Conv <auto_pad = \"SAME_UPPER\", pads = [0,0]> (x, w) }", "float[1,1,?]"},
         {"(float[1,1,9] x, float[1,1,3] w) => (y) { y = Conv <auto_pad = \"SAME_UPPER\", pads = [1,1]> (x, w) }", "float[1,1,9]"},
         {"(float[1,1,9] x, float[1,1,3] w) => (y) { y = Conv <auto_pad = \"VALID\", pads = [0,0]> (x, w) }", "float[1,1,7]"}});
}

TEST(ConvRule, RefusesImpossibleAttributes) {
  const auto conv = [](const std::string& attributes) {
    return refused("g (float[1,1,9,9] x, float[1,1,3,3] w) => (y) { y = Conv <" + attributes + "> (x, w) }");
  };
  EXPECT_THAT(conv("strides = [1]"), HasSubstr("strides has 1 values, it must have 2"));
  EXPECT_THAT(conv("strides = [1, 0]"), HasSubstr("strides is [1, 0], its values must be at least 1"));
  EXPECT_THAT(conv("dilations = [-1, 1]"), HasSubstr("dilations is [-1, 1]"));
  EXPECT_THAT(conv("pads = [0, 0, 0, -1]"), HasSubstr("pads is [0, 0, 0, -1]"));
  EXPECT_THAT(conv("pads = [0, 0]"), HasSubstr("pads has 2 values, it must have 4"));
  EXPECT_THAT(conv("kernel_shape = [3, 0]"), HasSubstr("must be positive"));
  EXPECT_THAT(refused("g (float[1,1,9,9] x, float[1,1,3] w) => (y) { y = Conv (x, w) }"), HasSubstr("2 spatial dimensions"));
  EXPECT_THAT(refused("g (float[1,9] x, float[1,1,3] w) => (y) { y = Conv (x, w) }"), HasSubstr("at least rank 3"));
}

TEST(ConvRule, SurvivesHugeNumbers) {
  const std::string huge = "9223372036854775807";
  check({
      {"(float[1,1,9] x, float[1,1,3] w) => (y) { y = Conv <pads = [" + huge + "," + huge + "]> (x, w) }", "float[1,1,?]"},
      {"(float[1,1,9] x, float[1,1,3] w) => (y) { y = Conv <dilations = [" + huge + "]> (x, w) }", "float[1,1,?]"},
      {"(float[1,1,9] x, float[1,1,3] w) => (y) { y = Conv <strides = [" + huge + "]> (x, w) }", "float[1,1,1]"},
      {"(float[1,1,9] x) => (y) { y = MaxPool <kernel_shape = [3], ceil_mode = 1, strides = [" + huge + "]> (x) }", "float[1,1,1]"},
      {"(float[1,1,9] x, float[1,2,3] w) => (y) { y = ConvTranspose <strides = [" + huge + "], group = " + huge + "> (x, w) }",
       "float[1,?,?]"},
      {"(float[1,1,0] x) => (y) { y = MaxPool <kernel_shape = [3], auto_pad = \"SAME_UPPER\", strides = [2]> (x) }", "float[1,1,0]"},
  });
  EXPECT_THAT(refused("g (float[1,1,2] x, float[1,1,5] w) => (y) { y = Conv (x, w) }"), HasSubstr("does not fit into axis 2"));
}

TEST(ConvTransposeRule, UnfoldsTheKernel) {
  check({
      {"(float[N,3,7,W] x, float[3,4,3,1] w) => (y) { y = ConvTranspose <group = 2> (x, w) }", "float[N,8,9,W]"},
      {"(float[N,3,7] x, float[3,M,3] w) => (y) { y = ConvTranspose <strides = [2], pads = [1,1], output_padding = [1]> (x, w) }",
       "float[N,M,14]"},
      {"(float[N,3,7] x, float[3,4,3] w) => (y) { y = ConvTranspose <strides = [2], auto_pad = \"SAME_UPPER\"> (x, w) }", "float[N,4,14]"},
      {"(float[N,3,7] x, float[3,4,1] w) => (y) { y = ConvTranspose <strides = [2], auto_pad = \"SAME_UPPER\"> (x, w) }", "float[N,4,?]"},
      {"(float[N,3,W] x, float[3,4,3] w) => (y) { y = ConvTranspose <output_shape = [15]> (x, w) }", "float[N,4,15]"},
      {"(float[N,3,1] x, float[3,4,1] w) => (y) { y = ConvTranspose <pads = [5,5]> (x, w) }", "float[N,4,?]", 1},
  });
  EXPECT_THAT(
      refused("g (float[1,3,7] x, float[3,4,3] w) => (y) { y = ConvTranspose <pads = [1,1], auto_pad = \"SAME_UPPER\"> (x, w) }", 11),
      HasSubstr("exclude each other"));
  EXPECT_THAT(refused("g (float[1,3,7] x, float[3,4,3] w) => (y) { y = ConvTranspose <output_shape = [1,2]> (x, w) }"),
              HasSubstr("output_shape has 2 values"));
}

TEST(CausalConvRule, KeepsTheLastElementsAsState) {
  const std::string node = "=> (y, s) { y, s = CausalConvWithState (x, w, , p) }";
  EXPECT_EQ(inferred("g (float[B,C,L] x, float[6,1,4] w, float[2,C,?] p) " + node, "y"), "float[2,6,L]");
  EXPECT_EQ(inferred("g (float[B,C,L] x, float[6,1,4] w, float[2,C,?] p) " + node, "s"), "float[2,6,3]");
  EXPECT_THAT(refused("g (float[B,C,L] x, float[6,1,4] w, float[2,C,4] p) " + node), HasSubstr("4 and 3 differ"));
  EXPECT_THAT(refused("g (float[B,C,L] x, float[6,1,0] w, float[2,C,S] p) " + node), HasSubstr("must be positive"));
  EXPECT_THAT(refused("g (float[1,2,3] x, float[2,1,2] w) => (y) { y = CausalConvWithState <activation = \"relu\"> (x, w) }"),
              HasSubstr("none, silu or swish"));
}

TEST(PoolRule, SlidesTheWindow) {
  check({
      {"(float[N,C,32,W] x) => (y) { y = MaxPool <kernel_shape = [2,2], strides = [2,2]> (x) }", "float[N,C,16,?]"},
      {"(float[N,C,32,W] x) => (y) { y = AveragePool <kernel_shape = [3,3], pads = [1,1,1,1]> (x) }", "float[N,C,32,W]", 7},
      {"(float[N,C,32] x) => (y) { y = LpPool <kernel_shape = [3], dilations = [2]> (x) }", "float[N,C,28]"},
      {"(float[N,C,6] x) => (y) { y = MaxPool <kernel_shape = [2], strides = [3], ceil_mode = 1> (x) }", "float[N,C,2]"},
      {"(float[N,C,7] x) => (y) { y = MaxPool <kernel_shape = [2], strides = [3], ceil_mode = 1> (x) }", "float[N,C,3]"},
      {"(float[N,C,7] x) => (y) { y = MaxPool <kernel_shape = [2], strides = [3], ceil_mode = 1> (x) }", "float[N,C,3]", 10},
      {"(float[N,C,6] x) => (y) { y = MaxPool <kernel_shape = [2], strides = [3], ceil_mode = 1> (x) }", "float[N,C,?]", 12},
      {"(float[N,C,32] x) => (y) { y = LpPool (x) }", "float[]", 1},
      {"(float[] x) => (y) { y = MaxPool <kernel_shape = [2]> (x) }", "float[]"},
      {"(float[N,C,7,8] x) => (y) { y = GlobalAveragePool (x) }", "float[N,C,1,1]"},
      {"(float[N,C,7,8] x) => (y) { y = GlobalLpPool (x) }", "float[N,C,1,1]", 1},
      {"(float[N,C] x) => (y) { y = GlobalMaxPool (x) }", "float[N,C]"},
  });
  EXPECT_EQ(inferred("g (float[N,C,9] x) => (y, i) { y, i = MaxPool <kernel_shape = [3]> (x) }", "i"), "int64[N,C,7]");
  EXPECT_THAT(refused("g (float[N,C,7] x) => (y) { y = MaxPool (x) }"), HasSubstr("kernel_shape is missing"));
}

TEST(MaxUnpoolRule, UndoesThePool) {
  check({
      {"(float[N,C,4] x, int64[N,C,4] i) => (y) { y = MaxUnpool <kernel_shape = [2], strides = [2]> (x, i) }", "float[N,C,8]"},
      {"(float[N,C,4] x, int64[N,C,4] i) => (y) <int64[3] s = {1, 2, 9}> { y = MaxUnpool <kernel_shape = [2]> (x, i, s) }", "float[1,2,9]"},
      {"(float[N,C,4] x, int64[N,C,4] i, int64[3] s) => (y) { y = MaxUnpool <kernel_shape = [2]> (x, i, s) }", "float[?,?,?]"},
      {"(float[1,1,4] x, int64[1,1,4] i) => (y) { y = MaxUnpool <kernel_shape = [2], strides = [-3]> (x, i) }", "float[1,1,?]"},
  });
  EXPECT_THAT(refused("g (float[1,1,4] x, int64[1,1,4] i, int64[2] s) => (y) { y = MaxUnpool <kernel_shape = [2]> (x, i, s) }"),
              HasSubstr("2 elements, X has 3 dimensions"));
}

}  // namespace
}  // namespace sardonyx::infer
