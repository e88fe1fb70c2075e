#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Normalize, SoftmaxKeepsShape) {
  expect_inferred({
      {"float[N, 3] x", "", "y = Softmax (x)", "float[N,3]"},
      {"float[N, 3] x", "", "y = LogSoftmax <axis = 1> (x)", "float[N,3]", 1},
      {"float[3] x", "", "y = Hardmax (x)", "float[3]", 1},
  });
  expect_refused({
      {"float[N, 3] x", "", "y = Softmax <axis = 2> (x)", "axis 2 is not within [-2, 2) of rank 2"},
      {"float[3] x", "", "y = Hardmax (x)", "axis 1 is not within [-1, 1) of rank 1", 11},
      {"float x", "", "y = Softmax (x)", "at least rank 1"},
  });
}

TEST(Normalize, BatchNormalization) {
  const char* const inputs = "float[N, 3, H] x, float[3] s, float[3] b, float[C] m, float[3] v";
  expect_inferred({
      {inputs, "", "y = BatchNormalization (x, s, b, m, v)", "float[N,3,H]"},
      {inputs, "", "o, y, r = BatchNormalization <training_mode = 1> (x, s, b, m, v)", "float[3]", 14},
      {inputs, "", "o, n, r, y, z = BatchNormalization (x, s, b, m, v)", "float[3]", 9},
      {"float16[2, C] x, float16[D] s, float16[D] b, float[D] m, float[D] v", "",
       "o, y, r = BatchNormalization <training_mode = 1> (x, s, b, m, v)", "float[C]", 15},
  });
  expect_refused({
      {"float[N, 4] x, float[3] s, float[3] b, float[3] m, float[3] v", "", "y = BatchNormalization (x, s, b, m, v)", "4 and 3 differ"},
      {"float[N, 3] x, float[3] s, float[1, 3] b, float[3] m, float[3] v", "", "y = BatchNormalization (x, s, b, m, v)",
       "'B') must have rank 1"},
      {inputs, "", "y = BatchNormalization <training_mode = 1> (x, s, b, m, v)", "has 3 outputs, not 1"},
      {inputs, "", "y, m2, v2 = BatchNormalization (x, s, b, m, v)", "has 1 outputs, not 3"},
  });
}

TEST(Normalize, LayersAndGroups) {
  expect_inferred({
      {"float[N, 3, 4] x, float[4] s", "", "y = LayerNormalization (x, s)", "float[N,3,4]"},
      {"float16[N, 3, 4] x, float16[4] s", "", "o, y, d = LayerNormalization (x, s)", "float[N,3,1]"},
      {"float[N, 3, 4] x, float[4] s", "", "o, m, y = LayerNormalization <axis = 1, stash_type = 16> (x, s)", "bfloat16[N,1,1]"},
      {"float[N, 3, 4] x, float[4] s", "", "y = RMSNormalization <axis = -2> (x, s)", "float[N,3,4]"},
      {"float[N, 3, 4] x, float[3] s, float[3] b", "", "y = InstanceNormalization (x, s, b)", "float[N,3,4]"},
      {"float[N, 4, 4] x, float[4] s, float[4] b", "", "y = GroupNormalization <num_groups = 2> (x, s, b)", "float[N,4,4]"},
      {"float[N, 3, 4, 4] x", "", "y = MeanVarianceNormalization (x)", "float[N,3,4,4]"},
      {"float[N, 3, 4, 4] x", "", "y = LRN <size = 3> (x)", "float[N,3,4,4]", 1},
  });
  expect_refused({
      {"float[N, 4] x, float[4] s", "", "y = LayerNormalization <axis = -3> (x, s)", "axis -3 is not within"},
      {"float[N, 4] x, float[4] s", "", "y = RMSNormalization <axis = -3> (x, s)", "axis -3 is not within"},
      {"float[N, 4] x, float[4] s", "", "y = LayerNormalization <stash_type = 0> (x, s)", "no element type"},
  });
}

}  // namespace
}  // namespace sardonyx::infer
