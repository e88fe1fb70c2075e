#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Reduce, AxesAreAnAttributeOrAnInput) {
  expect_inferred({
      {"float[N, 3, 4] x", "", "y = ReduceMean <axes = [1]> (x)", "float[N,1,4]", 13},
      {"float[N, 3, 4] x", "", "y = ReduceMean <axes = [-1, 0], keepdims = 0> (x)", "float[3]", 11},
      {"float[N, 3, 4] x", "", "y = ReduceL2 <keepdims = 0> (x)", "float", 1},
      {"float[N, 3, 4] x", "int64[1] a = {-2}", "y = ReduceSum (x, a)", "float[N,1,4]", 13},
      {"float[N, 3, 4] x", "int64[1] a = {-2}", "y = ReduceMax <keepdims = 0> (x, a)", "float[N,4]"},
      {"float[N, 3, 4] x", "", "y = ReduceLogSumExp (x)", "float[1,1,1]"},
      {"float[N, 3, 4] x", "", "y = ReduceSum <noop_with_empty_axes = 1> (x)", "float[N,3,4]"},
      {"float[N, 3, 4] x", "int64[0] a = {}", "y = ReduceSum <noop_with_empty_axes = 1> (x, a)", "float[N,3,4]"},
      {"float[N, 3, 4] x", "int64[0] a = {}", "y = ReduceSum <keepdims = 0> (x, a)", "float"},
  });
}

TEST(Reduce, WhatIsNotKnownIsNotSaid) {
  expect_inferred({
      {"float[N, 3] x, int64[1] a", "", "y = ReduceSum (x, a)", "float[?,?]"},
      {"float[N, 3] x, int64[1] a", "", "y = ReduceSum <keepdims = 0> (x, a)", "float[]"},
      {"float[] x", "", "y = ReduceSum (x)", "float[]"},
      {"float[] x", "", "y = ReduceSum <keepdims = 0> (x)", "float"},
  });
}

TEST(Reduce, RefusesAxesThatThereAreNot) {
  expect_refused({
      {"float[2, 3] x", "", "y = ReduceMin <axes = [2]> (x)", "axis 2 is not within [-2, 2) of rank 2", 11},
      {"float[2, 3] x", "int64[1] a = {-9223372036854775808}", "y = ReduceSum (x, a)", "is not within"},
      {"float[2, 3] x", "", "y = ArgMax <axis = 2> (x)", "axis 2 is not within [-2, 2) of rank 2"},
  });
}

TEST(Reduce, ArgGivesIndices) {
  expect_inferred({
      {"float[N, 3] x", "", "y = ArgMax (x)", "int64[1,3]"},
      {"float[N, 3] x", "", "y = ArgMin <axis = -1, keepdims = 0> (x)", "int64[N]"},
      {"float[N, 3] x", "", "y = ArgMax <axis = 1> (x)", "int64[N,1]", 1},
      {"float[] x", "", "y = ArgMax (x)", "int64[]"},
  });
}

TEST(Reduce, SizesAreReduced) {
  const auto reduced = [](const char* op) { return elements_of_vector("float[2, 3, 7] x", "", std::string("s = Shape (x)\ne = ") + op); };
  EXPECT_EQ(reduced("ReduceProd (s)"), "[42]");
  EXPECT_EQ(reduced("ReduceSum (s)"), "[12]");
  EXPECT_EQ(reduced("ReduceMax (s)"), "[7]");
  EXPECT_EQ(reduced("ReduceMin (s)"), "[2]");
  EXPECT_EQ(elements_of_vector("float[1, N] x", "", "s = Shape (x)\ne = ReduceProd (s)"), "[N]");
  EXPECT_EQ(elements_of_vector("float[1, N] x", "", "s = Shape (x)\ne = ReduceMax (s)"), "[?]");
  EXPECT_EQ(elements_of_vector("float x", "", "s = Shape (x)\ne = ReduceProd (s)"), "[1]");
  EXPECT_EQ(elements_of_vector("float[4611686018427387904, 4] x", "", "s = Shape (x)\ne = ReduceProd (s)"), "[?]");
}

}  // namespace
}  // namespace sardonyx::infer
