#include <algorithm>

#include "infer/rules/network_case.h"

namespace sardonyx::infer {
namespace {

using testing::HasSubstr;

TEST(MatMulRule, IntegersAndQuantised) {
  EXPECT_EQ(inferred("g (uint8[B,3,4] a, int8[4,N] b) => (y) { y = MatMulInteger (a, b) }"), "int32[B,3,N]");
  EXPECT_EQ(inferred("g (uint8[4] a, int8[4] b) => (y) { y = MatMulInteger (a, b) }"), "int32");
  const std::string scales = "float s, uint8 p, ", node = " => (y) { y = QLinearMatMul (a, s, p, b, t, q, u, r) }";
  const std::string rest = "float t, int8 q, float u, int8 r)";
  EXPECT_EQ(inferred("g (uint8[M,4] a, " + scales + "int8[4,N] b, " + rest + node, "y", 10), "int8[M,N]");
  EXPECT_THAT(refused("g (uint8[M,4] a, " + scales + "int8[5,N] b, " + rest + node), HasSubstr("4 and 5 differ"));
}

TEST(GemmRule, EveryVersion) {
  const std::string abc = "(float[M,4] a, float[4,5] b, float[7,5] c) => (y) ";
  check({
      {"(float[M,4] a, float[4,N] b) => (y) { y = Gemm (a, b) }", "float[M,N]", 13},
      {"(float[4,M] a, float[N,4] b) => (y) { y = Gemm <transA = 1, transB = 1> (a, b) }", "float[M,N]", 11},
      {"(float[M,4] a, float[] b) => (y) { y = Gemm (a, b) }", "float[M,?]", 13},
      {abc + "{ y = Gemm (a, b, c) }", "float[7,5]", 6},
      {abc + "{ y = Gemm <broadcast = 1> (a, b, c) }", "float[M,5]", 6},
      {abc + "{ y = Gemm (a, b, c) }", "float[M,5]", 7},
      {"(float[2,4] a, float[3,5] b, float[5] c) => (y) { y = Gemm (a, b, c) }", "float[2,5]", 9},
  });
  EXPECT_THAT(refused("g (float[2,4] a, float[3,5] b) => (y) { y = Gemm (a, b) }"), HasSubstr("4 and 3 differ"));
  EXPECT_THAT(refused("g (float[1,2,4] a, float[4,5] b) => (y) { y = Gemm (a, b) }"), HasSubstr("must have rank 2"));
}

TEST(DetRule, LosesTheMatrices) {
  EXPECT_EQ(inferred("g (float[B,3,3] x) => (y) { y = Det (x) }"), "float[B]");
  EXPECT_EQ(inferred("g (float[N,N] x) => (y) { y = Det (x) }", "y", 11), "float");
  EXPECT_THAT(refused("g (float[2,3] x) => (y) { y = Det (x) }"), HasSubstr("3 and 2 differ"));
  EXPECT_THAT(refused("g (float[2] x) => (y) { y = Det (x) }"), HasSubstr("at least rank 2"));
}

std::string einsum(const std::string& equation, const std::string& inputs) {
  std::string names;
  for (const char c : std::string_view("abc").substr(0, static_cast<size_t>(std::count(inputs.begin(), inputs.end(), '[')))) {
    names += names.empty() ? std::string(1, c) : ", " + std::string(1, c);
  }
  return "g (" + inputs + ") => (y) { y = Einsum <equation = \"" + equation + "\"> (" + names + ") }";
}

TEST(EinsumRule, AllNotations) {
  struct EinsumCase {
    std::string equation, inputs, type;
  };
  for (const EinsumCase& c : std::vector<EinsumCase>{
           {"ij,jk->ik", "float[M,3] a, float[3,N] b", "float[M,N]"},
           {"ij,jk", "float[M,3] a, float[3,N] b", "float[M,N]"},
           {" b i j , b j k -> b i k ", "float[B,M,3] a, float[B,3,N] b", "float[B,M,N]"},
           {"ba", "float[B,A] a", "float[A,B]"},
           {"bZ", "float[B,Z] a", "float[Z,B]"},
           {"ii->i", "float[N,N] a", "float[N]"},
           {"ii", "float[N,N] a", "float"},
           {"...ij->...ji", "float[A,B,2,3] a", "float[A,B,3,2]"},
           {"...ij,...jk->...ik", "float[5,1,M,3] a, float[1,6,3,N] b", "float[5,6,M,N]"},
           {"i...,i...->...", "float[I,2,N] a, float[I,2,1] b", "float[2,N]"},
           {"i...j", "float[I,2,J] a", "float[2,I,J]"},
           {"i,j->", "float[I] a, float[J] b", "float"},
           {"i,i->i", "float[1] a, float[4] b", "float[4]"},
           {"i,i->i", "float[N] a, float[4] b", "float[4]"},
           {"ij,jk->ik", "float[M,3] a, float[] b", "float[M,?]"},
           {"...i->...", "float[] a", "float[]"},
       }) {
    EXPECT_EQ(inferred(einsum(c.equation, c.inputs)), c.type) << c.equation;
  }
  EXPECT_THAT(refused(einsum("ij->i", "float[2] a")), HasSubstr("operand 0 2 labels, its shape is [2]"));
  EXPECT_THAT(refused(einsum("i->i", "float[2] a, float[2] b")), HasSubstr("1 operands, the node 2 inputs"));
  EXPECT_THAT(refused(einsum("...,...->...", "float[2] a, float[2,2] b")), HasSubstr("stands for 2 dimensions of operand 1, for 1"));
  EXPECT_THAT(refused(einsum("...ij->...", "float[2] a")), HasSubstr("beside the ellipsis"));
}

TEST(EinsumRule, SurvivesNonsense) {
  for (const char* equation : {"", "->", ",", "....", "..", "->...", "\xC3\xA4", "1->2", "i->z", "-", ">", "i...i...->..."}) {
    const std::string verdict = refused(einsum(equation, "float[2] a"));
    EXPECT_THAT(verdict, testing::AnyOf("accepted", HasSubstr("the equation"))) << equation;
  }
}

}  // namespace
}  // namespace sardonyx::infer
