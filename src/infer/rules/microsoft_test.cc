#include "infer/infer_case.h"

namespace sardonyx::infer {
namespace {

struct ForeignCase {
  const char* inputs;
  const char* node;
  const char* expected;
  const char* initializers = "";
  int64_t opset = 13;
};

void expect_foreign(std::initializer_list<ForeignCase> cases) {
  for (const ForeignCase& row : cases) {
    const std::string block = *row.initializers == '\0' ? "" : std::string("<") + row.initializers + "> ";
    const std::string text = std::string("g (") + row.inputs + ") => (y) " + block + "{ " + row.node + " }";
    EXPECT_EQ(inferred(text, "y", row.opset, ", \"com.microsoft\" : 1"), row.expected) << text;
  }
}

TEST(ForeignRules, Products) {
  expect_foreign({
      {"float[N,3,8,8] x, float[4,3,3,3] w", "y = com.microsoft.FusedConv <activation = \"Relu\", pads = [1,1,1,1]> (x, w)",
       "float[N,4,8,8]"},
      {"float[3,N] a, float[3,5] b", "y = com.microsoft.FusedGemm <transA = 1> (a, b)", "float[N,5]"},
      {"float[N,3] a, float[3,5] b, float[1,5] c", "y = com.microsoft.FusedGemm (a, b, c)", "float[N,5]"},
      {"double[2,N,3] a, double[5,3] b", "y = com.microsoft.FusedMatMul <transB = 1> (a, b)", "double[2,N,5]"},
      {"float[N,2,7,3] a, float[2,7,3,5] b", "y = com.microsoft.FusedMatMul <transBatchA = 1> (a, b)", "float[2,7,N,5]"},
      {"float[3,2,N] a, float[5,2,3] b", "y = com.microsoft.FusedMatMul <transBatchA = 1, transA = 1, transBatchB = 1, transB = 1> (a, b)",
       "float[2,N,5]"},
      {"float[3] a, float[N,3] b", "y = com.microsoft.FusedMatMul <transA = 1, transB = 1> (a, b)", "float[N]"},
  });
  EXPECT_THAT(refused("g (float[2,3] a, float[4,5] b) => (y) { y = com.microsoft.FusedMatMul (a, b) }", 13, ", \"com.microsoft\" : 1"),
              testing::HasSubstr("3 and 4 differ"));
}

TEST(ForeignRules, Normalizations) {
  expect_foreign({
      {"float[N,S,8] x, float[S,8] k, float[8] g", "y = com.microsoft.SkipLayerNormalization (x, k, g)", "float[N,S,8]"},
      {"float16[N,S,8] x, float16[N,S,8] k, float16[8] g", "a, b, y, c = com.microsoft.SkipSimplifiedLayerNormalization (x, k, g)",
       "float[N,S,1]"},
      {"float16[N,S,8] x, float16[N,S,8] k, float16[8] g", "a, b, c, y = com.microsoft.SkipLayerNormalization (x, k, g)", "float16[N,S,8]"},
      {"float16[N,8] x, float[8] g", "y = LayerNormalization (x, g)", "float[N,8]"},
      {"float[N,8] x, float[8] g", "z, y = LayerNormalization (x, g)", "float[N,1]", "", 11},
      {"float[N,8] x, float[8] g", "y = SimplifiedLayerNormalization (x, g)", "float[N,8]", "", 20},
      {"int32[N,S] i, int32[N,S] s, float[9,8] w, float[9,8] p, float[2,8] t, float[8] g, float[8] b",
       "y, m = com.microsoft.EmbedLayerNormalization (i, s, w, p, t, g, b)", "float[N,S,8]"},
      {"int32[N,S] i, int32[N,S] s, float[9,8] w, float[9,8] p, float[2,8] t, float[8] g, float[8] b",
       "z, y = com.microsoft.EmbedLayerNormalization (i, s, w, p, t, g, b)", "int32[N]"},
  });
}

TEST(ForeignRules, Attention) {
  expect_foreign({
      {"float[N,S,8] x, float[8,24] w", "y = com.microsoft.Attention <num_heads = 2> (x, w)", "float[N,S,8]"},
      {"float[N,S,8] x, float[8,20] w", "y = com.microsoft.Attention <num_heads = 2, qkv_hidden_sizes = [8,8,4]> (x, w)", "float[N,S,4]"},
      {"float[N,4,8] x, float[8,24] w, float[2,N,2,3,4] p",
       "z, y = com.microsoft.Attention <num_heads = 2, unidirectional = 1> (x, w, \"\", \"\", p)", "float[2,N,2,7,4]"},
      {"uint8[N,S,8] x, int8[8,24] w, float[24] b, float s", "z, y = com.microsoft.QAttention <num_heads = 2> (x, w, b, s, s)",
       "float[2,N,2,S,4]"},
      {"float[N,S,8] q, float[N,L,8] k, float[N,L,6] v", "y = com.microsoft.MultiHeadAttention <num_heads = 2> (q, k, v)", "float[N,S,6]"},
      {"float[N,S,8] q, float[N,2,L,4] k", "a, y = com.microsoft.MultiHeadAttention <num_heads = 2> (q, k, k)", "float[N,2,L,4]"},
      {"float[N,S,8] q, float[N,L,2,2,4] k", "a, b, c, y = com.microsoft.MultiHeadAttention <num_heads = 2> (q, k)", "float[N,2,S,L]"},
      {"float16[N,S,2,3,4] q", "y = com.microsoft.MultiHeadAttention <num_heads = 2> (q)", "float16[N,S,8]"},
      {"float[N,S,8] q, float[N,5,8] k, float[N,2,3,4] p",
       "a, y = com.microsoft.MultiHeadAttention <num_heads = 2> (q, k, k, \"\", \"\", \"\", p, p)", "float[N,2,8,4]"},
      {"float[N,S,16] q, int32[N] l",
       "a, y = com.microsoft.GroupQueryAttention <num_heads = 2, kv_num_heads = 1> (q, \"\", \"\", \"\", \"\", l, t)", "float[N,1,9,4]",
       "int32 t = {9}"},
      {"float[N,S,16] q, float[N,S,8] k, float[N,1,12,8] p, int32[N] l",
       "a, y = com.microsoft.GroupQueryAttention <num_heads = 2, kv_num_heads = 1> (q, k, k, p, p, l, t)", "float[N,1,12,8]",
       "int32 t = {9}"},
      {"float[N,S,16] q, float[N,S,8] k, int32[N] l, int32 t",
       "y = com.microsoft.GroupQueryAttention <num_heads = 2, kv_num_heads = 1> (q, k, k, \"\", \"\", l, t)", "float[N,S,16]"},
      {"float[N,S,16] x, int64[1] p, float[9,4] c", "y = com.microsoft.RotaryEmbedding (x, p, c, c)", "float[N,S,16]"},
  });
  EXPECT_THAT(refused("g (float[2,3,9] x, float[9,24] w) => (y) { y = com.microsoft.Attention <num_heads = 5> (x, w) }", 13,
                      ", \"com.microsoft\" : 1"),
              testing::HasSubstr("no multiple of 5 heads"));
}

TEST(ForeignRules, QuantizedWeights) {
  expect_foreign({
      {"float16[N,S,32] a, uint8[7,2,8] b, float16[7,2] s", "y = com.microsoft.MatMulNBits <K = 32, N = 7, block_size = 16> (a, b, s)",
       "float16[N,S,7]"},
      {"float[S,N,4] x, uint8[1,4,12] w, uint8[1,3,12] r, float[1] s, uint8[1] z",
       "y = com.microsoft.DynamicQuantizeLSTM (x, w, r, \"\", \"\", \"\", \"\", \"\", s, z, s, z)", "float[S,1,N,3]"},
  });
  EXPECT_THAT(refused("g (float[2,31] a, uint8[7,2,8] b, float[7,2] s) => (y) { y = com.microsoft.MatMulNBits <K = 32, N = 7, block_size = "
                      "16> (a, b, s) }",
                      13, ", \"com.microsoft\" : 1"),
              testing::HasSubstr("31 and 32 differ"));
}

TEST(ForeignRules, Others) {
  expect_foreign({
      {"float[N,3] x, float[3] b", "y = com.microsoft.BiasGelu (x, b)", "float[N,3]"},
      {"double[N,3,3] x", "y = com.microsoft.Inverse (x)", "double[N,3,3]"},
      {"float[N,3] x", "y = com.microsoft.Pad (x, p)", "float[N,6]", "int64[4] p = {0, 1, 0, 2}"},
      {"", "y = com.microsoft.Range (s, l, d)", "int64[4]", "int64 s = {1}, int64 l = {9}, int64 d = {2}"},
      {"float[N,3] x", "y = com.microsoft.Trilu (x)", "float[N,3]"},
      {"float[N,3,8,8] x, float[N,5,6,2] g", "y = com.microsoft.GridSample (x, g)", "float[N,3,5,6]"},
      {"float[N,3,8,8] x, float[R,4] b, int32[R] i", "y = com.microsoft.CropAndResize (x, b, i, s)", "float[R,3,5,6]",
       "int32[2] s = {5, 6}"},
  });
}

}  // namespace
}  // namespace sardonyx::infer
