#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Select, TopK) {
  expect_inferred({
      {"float[N, 5] x", "", "y, i = TopK <k = 2> (x)", "float[N,2]", 1},
      {"float[N, 5] x", "", "v, y = TopK <k = 2, axis = 0> (x)", "int64[2,5]", 1},
      {"float[N, 5] x", "int64[1] k = {3}", "y, i = TopK (x, k)", "float[N,3]"},
      {"float[N, 5] x", "int64[1] k = {3}", "v, y = TopK <axis = 0> (x, k)", "int64[3,5]"},
      {"float[N, 5] x, int64[1] k", "", "y, i = TopK (x, k)", "float[N,?]"},
      {"float[] x, int64[1] k", "", "v, y = TopK (x, k)", "int64[]"},
  });
  expect_refused({
      {"float[N, 5] x", "", "y, i = TopK <k = 0> (x)", "'k' is 0, it must be above 0", 1},
      {"float[N, 5] x", "int64[1] k = {6}", "y, i = TopK (x, k)", "the 6 greatest are wanted of an axis of 5"},
      {"float[N, 5] x", "int64[1] k = {-1}", "y, i = TopK (x, k)", "must not be negative"},
      {"float[N, 5] x", "int64 k = {1}", "y, i = TopK (x, k)", "must be a tensor of shape [1]"},
      {"float[N, 5] x", "int64[1] k = {1}", "y, i = TopK <axis = 2> (x, k)", "axis 2 is not within"},
  });
}

TEST(Select, SizesThatDependOnValues) {
  expect_inferred({
      {"float[N, 5] x", "", "y = Unique (x)", "float[?]"},
      {"float[N, 5] x", "", "y = Unique <axis = 1> (x)", "float[N,?]"},
      {"float[N, 5] x", "", "u, i, y, c = Unique (x)", "int64[?]"},
      {"float[N, 5] x", "", "y = NonZero (x)", "int64[2,?]"},
      {"float[] x", "", "y = NonZero (x)", "int64[?,?]"},
      {"float[2] x", "int64[4] c = {0, 3, 0, -1}", "y = NonZero (c)", "int64[1,2]"},
      {"float[N, 5] x, bool[5] c", "", "y = Compress <axis = -1> (x, c)", "float[N,?]"},
      {"float[N, 5] x, bool[5] c", "", "y = Compress (x, c)", "float[?]"},
      {"float[N, 5] x", "bool[3] c = {1, 0, 1}", "y = Compress <axis = 1> (x, c)", "float[N,2]"},
      {"float[N, 5] x", "bool[3] c = {1, 0, 1}", "y = Compress <axis = 0> (x, c)", "float[?,5]"},
  });
  expect_refused({
      {"float[N, 5] x", "", "y = Unique <axis = 2> (x)", "axis 2 is not within"},
      {"float x, bool[5] c", "", "y = Compress (x, c)", "at least rank 1"},
  });
}

TEST(Select, OneHot) {
  expect_inferred({
      {"int64[N, 3] i, float[2] v", "int64 d = {7}", "y = OneHot (i, d, v)", "float[N,3,7]"},
      {"int64[N, 3] i, float[2] v", "float[1] d = {7}", "y = OneHot <axis = 0> (i, d, v)", "float[7,N,3]"},
      {"int64[N, 3] i, float[2] v, int64 d", "", "y = OneHot <axis = -2> (i, d, v)", "float[N,?,3]", 11},
      {"int64[] i, float[2] v, int64 d", "", "y = OneHot (i, d, v)", "float[]", 9},
  });
  expect_refused({
      {"int64[3] i, float[3] v, int64 d", "", "y = OneHot (i, d, v)", "must have two elements"},
      {"int64[3] i, float[2] v, int64[2] d", "", "y = OneHot (i, d, v)", "must be a scalar or of one element"},
      {"int64 i, float[2] v, int64 d", "", "y = OneHot (i, d, v)", "at least rank 1"},
      {"int64[3] i, float[2] v", "int64 d = {-1}", "y = OneHot (i, d, v)", "must not be negative"},
      {"int64[3] i, float[2] v, int64 d", "", "y = OneHot <axis = 2> (i, d, v)", "axis 2 is not within [-2, 2)"},
  });
}

}  // namespace
}  // namespace sardonyx::infer
