#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Generate, ConstantsInAllForms) {
  expect_inferred({
      {"", "", "y = Constant <value = int32[2, 1] {1, 2}> ()", "int32[2,1]", 1},
      {"", "", "y = Constant <value_int = 3> ()", "int64"},
      {"", "", "y = Constant <value_ints = [3, 4]> ()", "int64[2]"},
      {"", "", "y = Constant <value_float = 0.5> ()", "float"},
      {"", "", "y = Constant <value_floats = [0.5, 1.0, 2.0]> ()", "float[3]"},
      {"", "", "y = Constant <value_string = \"a\"> ()", "string"},
      {"", "", "y = Constant <value_strings = [\"a\", \"b\"]> ()", "string[2]"},
  });
  expect_refused({
      {"", "", "y = Constant ()", "none of the attributes that give the value is there"},
      {"", "", "y = Constant <value_int = 3, value_float = 1.5> ()", "'value_int' and 'value_float' are both given"},
  });
}

TEST(Generate, FilledTensors) {
  expect_inferred({
      {"", "int64[2] s = {2, 3}", "y = ConstantOfShape (s)", "float[2,3]", 9},
      {"", "int64[2] s = {2, 3}", "y = ConstantOfShape <value = int32[1] {7}> (s)", "int32[2,3]"},
      {"int64[3] s", "", "y = ConstantOfShape (s)", "float[?,?,?]"},
      {"int64[K] s", "", "y = ConstantOfShape (s)", "float[]"},
      {"int64[9223372036854775807] s", "", "y = ConstantOfShape (s)", "float[]"},
      {"float[N, M] x", "", "y = EyeLike (x)", "float[N,M]"},
      {"int32[N, M] x", "", "y = EyeLike <dtype = 11> (x)", "double[N,M]", 9},
  });
  expect_refused({
      {"", "int64[2] s = {2, -1}", "y = ConstantOfShape (s)", "[2, -1] has a negative size"},
      {"int64[1, 2] s", "", "y = ConstantOfShape (s)", "must have rank 1"},
      {"", "int64[1] s = {2}", "y = ConstantOfShape <value = int32 {7}> (s)", "must be a tensor of shape [1]"},
      {"float[N, M, 1] x", "", "y = EyeLike (x)", "must have rank 2"},
  });
  EXPECT_EQ(elements_of_vector("", "int64[1] s = {3}", "e = ConstantOfShape <value = int64[1] {7}> (s)"), "[7,7,7]");
  EXPECT_EQ(elements_of_vector("", "int64[1] s = {9223372036854775807}", "e = ConstantOfShape <value = int64[1] {7}> (s)"), "[]");
}

TEST(Generate, RandomNumbers) {
  expect_inferred({
      {"", "", "y = RandomNormal <shape = [2, 3]> ()", "float[2,3]", 1},
      {"", "", "y = RandomUniform <shape = [2, 3], dtype = 11> ()", "double[2,3]"},
      {"int32[N, 3] x", "", "y = RandomNormalLike <dtype = 1> (x)", "float[N,3]"},
      {"float16[N, 3] x", "", "y = RandomUniformLike (x)", "float16[N,3]"},
      {"float[N, 3] x", "", "y = Bernoulli <dtype = 9> (x)", "bool[N,3]"},
      {"float[N, 3] x", "", "y = Multinomial <sample_size = 5> (x)", "int32[N,5]"},
      {"float[] x", "", "y = Multinomial <dtype = 7> (x)", "int64[?,1]", 7},
  });
  expect_refused({
      {"", "", "y = RandomNormal <shape = [2, -3]> ()", "negative size -3"},
      {"", "", "y = RandomNormal ()", "'shape' is missing"},
      {"", "", "y = RandomUniform <shape = [2], dtype = 77> ()", "'dtype' is 77, which is no element type"},
      {"float[N, 3] x", "", "y = Multinomial <dtype = 1> (x)", "must be int32 or int64"},
      {"float[3] x", "", "y = Multinomial (x)", "must have rank 2"},
  });
}

TEST(Generate, Ranges) {
  expect_inferred({
      {"", "int64 a = {2}, int64 b = {11}, int64 c = {3}", "y = Range (a, b, c)", "int64[3]"},
      {"", "int32 a = {10}, int32 b = {0}, int32 c = {-4}", "y = Range (a, b, c)", "int32[3]", 11},
      {"", "int64 a = {0}, int64 b = {-1}, int64 c = {3}", "y = Range (a, b, c)", "int64[0]"},
      {"", "float a = {0}, float b = {1}, float c = {0.3}", "y = Range (a, b, c)", "float[4]"},
      {"", "double a = {1.5}, double b = {0}, double c = {-0.5}", "y = Range (a, b, c)", "double[3]"},
      {"int64 n", "int64 a = {0}, int64 c = {1}", "y = Range (a, n, c)", "int64[?]"},
      {"", "int64 a = {-9223372036854775808}, int64 b = {9223372036854775807}, int64 c = {1}", "y = Range (a, b, c)", "int64[?]"},
      {"", "int64 a = {-9223372036854775808}, int64 b = {9223372036854775807}, int64 c = {4}", "y = Range (a, b, c)",
       "int64[4611686018427387904]"},
      {"", "float a = {0}, float b = {3e38}, float c = {1e-30}", "y = Range (a, b, c)", "float[?]"},
      {"float[N] x", "int64 zero = {0}, int64 one = {1}", "s = Shape (x)\nn = Squeeze (s)\ny = Range (zero, n, one)", "int64[N]"},
  });
  expect_refused({
      {"", "int64 a = {0}, int64 b = {9}, int64 c = {0}", "y = Range (a, b, c)", "('delta') is 0"},
      {"", "float a = {0.5}, float b = {9}, float c = {0}", "y = Range (a, b, c)", "('delta') is 0"},
      {"", "int64[1] a = {0}, int64 b = {9}, int64 c = {1}", "y = Range (a, b, c)", "input 0 ('start') must have rank 0"},
  });
  EXPECT_EQ(elements_of_vector("", "int64 a = {2}, int64 b = {11}, int64 c = {3}", "e = Range (a, b, c)"), "[2,5,8]");
}

TEST(Generate, Windows) {
  expect_inferred({
      {"", "int64 n = {10}", "y = HannWindow (n)", "float[10]"},
      {"", "int32 n = {10}", "y = BlackmanWindow <output_datatype = 11> (n)", "double[10]"},
      {"int64 n", "", "y = HammingWindow (n)", "float[?]"},
      {"float f", "int64 bins = {8}, int64 length = {17}, int64 rate = {8000}", "y = MelWeightMatrix (bins, length, rate, f, f)",
       "float[9,8]"},
      {"float f, int64 bins, int64 rate", "int64 length = {17}", "y = MelWeightMatrix (bins, length, rate, f, f)", "float[9,?]"},
  });
  expect_refused({
      {"", "int64 n = {0}", "y = HannWindow (n)", "input 0 ('size') is 0, it must be at least 1"},
      {"", "int64[1] n = {4}", "y = HannWindow (n)", "must have rank 0"},
      {"float f", "int64[1] bins = {8}, int64 length = {17}, int64 rate = {8000}", "y = MelWeightMatrix (bins, length, rate, f, f)",
       "('num_mel_bins') must have rank 0"},
  });
}

}  // namespace
}  // namespace sardonyx::infer
