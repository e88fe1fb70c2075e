#include "infer/infer_case.h"

namespace sardonyx::infer {
namespace {

TEST(Infer, FollowsShapesThroughNodes) {
  EXPECT_EQ(inferred("g (float[N, 3] x, float[3, 5] w) => (y) { h = Relu (x)\n y = MatMul (h, w) }"), "float[N,5]");
}

TEST(Infer, RefusesWhatContradicts) {
  EXPECT_THAT(refused("g (float[N, 3] x, float[4, 5] w) => (y) { y = MatMul (x, w) }"),
              testing::AllOf(testing::HasSubstr("MatMul"), testing::HasSubstr("3 and 4 differ")));
}

}  // namespace
}  // namespace sardonyx::infer
