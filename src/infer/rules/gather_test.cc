#include "infer/rules/rule_case.h"

namespace sardonyx::infer {
namespace {

TEST(Gather, ShapesOfIndicesReplaceTheAxis) {
  expect_inferred({
      {"float[N, 3, 4] x, int64[2, K] i", "", "y = Gather <axis = 1> (x, i)", "float[N,2,K,4]"},
      {"float[N, 3] x, int64 i", "", "y = Gather <axis = -1> (x, i)", "float[N]", 1},
      {"float[3] x, int64 i", "", "y = Gather (x, i)", "float"},
      {"float[3] x, int64[] i", "", "y = Gather (x, i)", "float[]"},
      {"float[N, 3] x, int64[2, K] i", "", "y = GatherElements <axis = 1> (x, i)", "float[2,K]"},
      {"float[] x, int64[2, K] i", "", "y = GatherElements (x, i)", "float[2,K]"},
      {"float[N, 3, 4] x, int64[5, 2] i", "", "y = GatherND (x, i)", "float[5,4]", 11},
      {"float[N, 3, 4] x, int64[N, 5, 1] i", "", "y = GatherND <batch_dims = 1> (x, i)", "float[N,5,4]"},
      {"float[N, 3, 4] x, int64[5, K] i", "", "y = GatherND (x, i)", "float[]"},
  });
  expect_refused({
      {"float x, int64 i", "", "y = Gather (x, i)", "at least rank 1"},
      {"float[3] x, int64 i", "", "y = Gather <axis = 1> (x, i)", "axis 1 is not within"},
      {"float[3] x, int64[5, 2] i", "", "y = GatherND (x, i)", "reach beyond data of shape [3]"},
      {"float[3] x, int64[5, 1] i", "", "y = GatherND <batch_dims = 9223372036854775807> (x, i)", "reach beyond"},
      {"float[3] x, int64[5, 1] i", "", "y = GatherND <batch_dims = -1> (x, i)", "reach beyond"},
      {"float[3] x, int64 i", "", "y = GatherND (x, i)", "input 1 ('indices') must have at least rank 1"},
  });
}

// Each node doubles the rank.
TEST(Gather, RanksThatGrowWithoutEndAreNotFollowed) {
  std::string nodes = "v0 = Gather (x, x)\n";
  for (int i = 1; i < 70; ++i)
    nodes += "v" + std::to_string(i) + " = Gather (v" + std::to_string(i - 1) + ", v" + std::to_string(i - 1) + ")\n";
  nodes += "y = Identity (v69)";
  EXPECT_EQ(inferred(RuleCase{"int64[2, 2] x", "", nodes.c_str(), ""}.text()), "int64[]");
}

TEST(Gather, Elements) {
  const auto gathered = [](const char* constants, const char* op) {
    return elements_of_vector("float[N, 3, 5] x, int64[1] k", constants, std::string("s = Shape (x)\ne = ") + op);
  };
  EXPECT_EQ(gathered("int64[2] i = {-1, 0}", "Gather (s, i)"), "[5,N]");
  EXPECT_EQ(gathered("int64[2] i = {1, 1}", "GatherElements (s, i)"), "[3,3]");
  EXPECT_EQ(gathered("", "Gather (s, k)"), "[?]");
  expect_refused({{"float[N, 3] x", "int64[1] i = {2}", "s = Shape (x)\ny = Gather (s, i)", "index 2 is not within [-2, 2)"}});
}

TEST(Scatter, KeepsShape) {
  expect_inferred({
      {"float[N, 3] x, int64[1, 3] i, float[1, 3] u", "", "y = Scatter (x, i, u)", "float[N,3]", 9},
      {"float[N, 3] x, int64[1, 3] i, float[1, 3] u", "", "y = ScatterElements (x, i, u)", "float[N,3]"},
      {"float[N, 3] x, int64[1, 1] i, float[1, 3] u", "", "y = ScatterND (x, i, u)", "float[N,3]"},
      {"float[B, 8, 3] x, float[B, 2, 3] u, int64[B] i", "", "y = TensorScatter (x, u, i)", "float[B,8,3]"},
  });
  expect_refused({
      {"float[B, 8, 3] x, float[B, 2] u", "", "y = TensorScatter (x, u)", "input 1 ('update') must have rank 3"},
      {"float[B, 8, 3] x, float[B, 2, 4] u", "", "y = TensorScatter (x, u)", "3 and 4 differ"},
      {"float[8, 3] x, float[2, 3] u", "", "y = TensorScatter (x, u)", "axis 0 is the batch"},
      {"float[2, 8, 3] x, float[2, 2, 3] u, int64[3] i", "", "y = TensorScatter (x, u, i)", "2 and 3 differ"},
  });
}

}  // namespace
}  // namespace sardonyx::infer
