// Signals, quantisation and losses.
#include "infer/rules/network_case.h"

namespace sardonyx::infer {
namespace {

using testing::HasSubstr;

TEST(DftRule, AxesAndLengths) {
  check({
      {"(float[B,10,1] x) => (y) { y = DFT (x) }", "float[B,10,2]"},
      {"(float[B,10,1] x) => (y) { y = DFT <onesided = 1> (x) }", "float[B,6,2]"},
      {"(float[B,L,1] x) => (y) { y = DFT <onesided = 1> (x) }", "float[B,?,2]"},
      {"(float[B,6,2] x) => (y) { y = DFT <onesided = 1, inverse = 1> (x) }", "float[B,10,1]"},
      {"(float[B,0,2] x) => (y) { y = DFT <onesided = 1, inverse = 1> (x) }", "float[B,?,1]"},
      {"(float[B,7,8,2] x) => (y) <int64 n = {9}, int64 a = {1}> { y = DFT (x, n, a) }", "float[B,9,8,2]"},
      {"(float[B,7,8,1] x) => (y) <int64 n = {9}> { y = DFT <axis = -2, onesided = 1> (x, n) }", "float[B,7,5,2]", 17},
      {"(float[B,7,8,2] x, int64 a) => (y) { y = DFT (x, , a) }", "float[B,7,8,2]"},
      {"(float[B,7,8,1] x, int64 a) => (y) { y = DFT <onesided = 1> (x, , a) }", "float[?,?,?,2]"},
      {"(float[B,7,8,2] x, int64 n) => (y) { y = DFT (x, n) }", "float[B,?,8,2]", 17},
      {"(float[B,7,2] x) => (y) <int64 n = {-9}> { y = DFT (x, n) }", "float[B,?,2]"},
  });
  EXPECT_THAT(refused("g (float[1,7,2] x) => (y) { y = DFT <onesided = 1> (x) }"), HasSubstr("needs 1 as the last dimension"));
  EXPECT_THAT(refused("g (float[1,7,1] x) => (y) { y = DFT <axis = -1> (x) }", 17), HasSubstr("cannot be transformed"));
  EXPECT_THAT(refused("g (float[1,7,1] x) => (y) <int64 a = {3}> { y = DFT (x, , a) }"), HasSubstr("axis 3"));
  EXPECT_THAT(refused("g (float[1,7,1] x) => (y) <int64[1] n = {3}> { y = DFT (x, n) }"), HasSubstr("must have rank 0"));
  EXPECT_THAT(refused("g (float[7] x) => (y) { y = DFT (x) }"), HasSubstr("at least rank 2"));
}

TEST(StftRule, Frames) {
  check({
      {"(float[B,100,1] x, float[16] w) => (y) <int64 s = {8}> { y = STFT (x, s, w) }", "float[B,11,9,2]"},
      {"(float[B,100,1] x) => (y) <int64 s = {8}, int64 f = {16}> { y = STFT <onesided = 0> (x, s, , f) }", "float[B,11,16,2]"},
      {"(float[B,L,1] x, float[16] w, int64 s) => (y) { y = STFT (x, s, w) }", "float[B,?,9,2]"},
      {"(float[B,100,1] x, float[16] w) => (y) <int64 s = {0}> { y = STFT (x, s, w) }", "float[B,?,9,2]"},
      {"(float[B,10,1] x, float[16] w) => (y) <int64 s = {1}> { y = STFT (x, s, w) }", "float[B,?,9,2]"},
  });
  EXPECT_THAT(refused("g (float[1,100,1] x, float[16] w) => (y) <int64 s = {8}, int64 f = {15}> { y = STFT (x, s, w, f) }"),
              HasSubstr("15 and 16 differ"));
  EXPECT_THAT(refused("g (float[1,100,1] x, float[16,1] w, int64 s) => (y) { y = STFT (x, s, w) }"), HasSubstr("must have rank 1"));
}

TEST(QuantizeRules, Types) {
  check({
      {"(float[N,3] x, float s) => (y) { y = QuantizeLinear (x, s) }", "uint8[N,3]", 10},
      {"(float[N,3] x, float s, int8 z) => (y) { y = QuantizeLinear (x, s, z) }", "int8[N,3]", 13},
      {"(float[N,3] x, float s) => (y) { y = QuantizeLinear <output_dtype = 22> (x, s) }", "int4[N,3]", 21},
      {"(uint8[N,3] x, float s) => (y) { y = DequantizeLinear (x, s) }", "float[N,3]", 10},
      {"(uint8[N,3] x, float16[3] s) => (y) { y = DequantizeLinear (x, s) }", "float16[N,3]", 19},
      {"(uint8[N,3] x, float16[3] s) => (y) { y = DequantizeLinear (x, s) }", "float16[N,3]", 23},
      {"(uint8[N,3] x, float16[3] s) => (y) { y = DequantizeLinear <output_dtype = 1> (x, s) }", "float[N,3]"},
      {"(float[N,3] x) => (y, s, z) { y, s, z = DynamicQuantizeLinear (x) }", "uint8[N,3]"},
  });
  EXPECT_EQ(inferred("g (float[] x) => (y, s, z) { y, s, z = DynamicQuantizeLinear (x) }", "s"), "float");
  EXPECT_THAT(refused("g (float[3] x, float s, int8 z) => (y) { y = QuantizeLinear <output_dtype = 2> (x, s, z) }"),
              HasSubstr("output_dtype is uint8, y_zero_point is int8"));
  EXPECT_THAT(refused("g (float[3] x, float s) => (y) { y = QuantizeLinear <output_dtype = 258> (x, s) }"), HasSubstr("no element type"));
}

TEST(LossRules, Reductions) {
  check({
      {"(float[N,C,5] x, int64[N,5] t) => (y) { y = NegativeLogLikelihoodLoss (x, t) }", "float", 12},
      {"(float[N,C,D] x, int64[2,5] t) => (y) { y = NegativeLogLikelihoodLoss <reduction = \"none\"> (x, t) }", "float[2,5]"},
      {"(float[N,C,D] x, int64[2,5] t) => (y) { y = SoftmaxCrossEntropyLoss <reduction = \"none\"> (x, t) }", "float[2,5]"},
      {"(float[N,C,D] x, int64[] t) => (y) { y = SoftmaxCrossEntropyLoss <reduction = \"none\"> (x, t) }", "float[N,D]"},
      {"(float[N,C,D] x, int64[2,5] t) => (y) { y = SoftmaxCrossEntropyLoss <reduction = \"sum\"> (x, t) }", "float", 12},
  });
  EXPECT_EQ(inferred("g (float[N,C] x, int64[N] t) => (y, p) { y, p = SoftmaxCrossEntropyLoss (x, t) }", "p"), "float[N,C]");
  EXPECT_THAT(refused("g (float[2,3] x, int64[4] t) => (y) { y = NegativeLogLikelihoodLoss (x, t) }"), HasSubstr("2 and 4 differ"));
  EXPECT_THAT(refused("g (float[2,3] x, int64[2,3] t) => (y) { y = NegativeLogLikelihoodLoss (x, t) }"), HasSubstr("must have rank 1"));
  EXPECT_THAT(refused("g (float[2,3] x, int64[2] t, float w) => (y) { y = NegativeLogLikelihoodLoss (x, t, w) }"),
              HasSubstr("must have rank 1"));
}

}  // namespace
}  // namespace sardonyx::infer
