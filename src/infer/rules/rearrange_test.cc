#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Rearrange, Transpose) {
  expect_inferred({
      {"float[N, 2, 3] x", "", "y = Transpose (x)", "float[3,2,N]", 1},
      {"float[N, 2, 3] x", "", "y = Transpose <perm = [1, 0, 2]> (x)", "float[2,N,3]"},
      {"float[] x", "", "y = Transpose <perm = [1, 0, 2]> (x)", "float[?,?,?]"},
      {"float[] x", "", "y = Transpose (x)", "float[]"},
  });
  expect_refused({
      {"float[N, 2] x", "", "y = Transpose <perm = [1, 1]> (x)", "'perm' [1, 1] is no permutation of the axes"},
      {"float[N, 2] x", "", "y = Transpose <perm = [0, -9223372036854775808]> (x)", "is no permutation"},
      {"float[N, 2] x", "", "y = Transpose <perm = [1, 0, 2]> (x)", "has 3 axes, the input's shape is [N, 2]"},
  });
}

TEST(Rearrange, Blocks) {
  expect_inferred({
      {"float[N, 8, H, 3] x", "", "y = DepthToSpace <blocksize = 2> (x)", "float[N,2,?,6]"},
      {"float[N, 8, H, 3] x", "", "y = DepthToSpace <blocksize = 1> (x)", "float[N,8,H,3]", 1},
      {"float[N, 2, 6, 4] x", "", "y = SpaceToDepth <blocksize = 2> (x)", "float[N,8,3,2]"},
      {"float[N, 2, 6, 4] x", "", "y = SpaceToDepth <blocksize = 9223372036854775807> (x)", "float[N,?,0,0]"},
  });
  expect_refused({
      {"float[N, 8, 2] x", "", "y = DepthToSpace <blocksize = 2> (x)", "must have rank 4"},
      {"float[N, 8, 2, 2] x", "", "y = SpaceToDepth <blocksize = 0> (x)", "'blocksize' is 0, it must be above 0"},
  });
}

TEST(Rearrange, RanksThatAreChecked) {
  expect_inferred({
      {"float[T, N] x, int64[N] n", "", "y = ReverseSequence (x, n)", "float[T,N]"},
      {"float[N, 3] x", "", "y = Trilu (x)", "float[N,3]"},
  });
  expect_refused({
      {"float[T] x, int64[N] n", "", "y = ReverseSequence (x, n)", "at least rank 2"},
      {"float[T, N] x, int64[N, 1] n", "", "y = ReverseSequence (x, n)", "must have rank 1"},
      {"float[3] x", "", "y = Trilu (x)", "at least rank 2"},
  });
}

}  // namespace
}  // namespace sardonyx::infer
