#include "infer/infer_case.h"

namespace sardonyx::infer {
namespace {

using testing::HasSubstr;

TEST(AttentionRule, FourDimensions) {
  const std::string text =
      "g (float[B,8,L,16] q, float[B,2,5,16] k, float[B,2,5,12] v, float[B,2,3,16] pk, float[B,2,3,12] pv) => (y, a, b, s) "
      "{ y, a, b, s = Attention (q, k, v, , pk, pv) }";
  for (const int64_t opset : {23, 24}) {
    EXPECT_EQ(inferred(text, "y", opset), "float[B,8,L,12]");
    EXPECT_EQ(inferred(text, "a", opset), "float[B,2,8,16]");
    EXPECT_EQ(inferred(text, "b", opset), "float[B,2,8,12]");
    EXPECT_EQ(inferred(text, "s", opset), "float[B,8,L,8]");
  }
}

TEST(AttentionRule, ThreeDimensions) {
  const std::string text =
      "g (float[B,L,128] q, float[B,S,32] k, float16[B,S,24] v) => (y, a, b, s) "
      "{ y, a, b, s = Attention <q_num_heads = 8, kv_num_heads = 2> (q, k, v) }";
  EXPECT_EQ(inferred(text, "y"), "float[B,L,96]");
  EXPECT_EQ(inferred(text, "a"), "float[B,2,S,16]");
  EXPECT_EQ(inferred(text, "b"), "float16[B,2,S,12]");
  EXPECT_EQ(inferred(text, "s"), "float[B,8,L,S]");
  EXPECT_EQ(inferred("g (float[B,L,128] q, float[B,S,32] k, float[B,S,24] v) => (y) "
                     "{ y = Attention <q_num_heads = 8, kv_num_heads = 0> (q, k, v) }"),
            "float[B,L,?]");
}

TEST(AttentionRule, Refuses) {
  EXPECT_THAT(refused("g (float[B,L,8] q, float[B,S,8] k, float[B,S,8] v) => (y) { y = Attention (q, k, v) }"),
              HasSubstr("q_num_heads and kv_num_heads"));
  EXPECT_THAT(
      refused("g (float[B,L,8] q, float[B,S,8] k, float[B,S,8] v) => (y) { y = Attention <q_num_heads = 0, kv_num_heads = 1> (q, k, v) }"),
      HasSubstr("must be positive"));
  EXPECT_THAT(refused("g (float[1,2,4,8] q, float[1,2,6,8] k, float[1,2,5,8] v) => (y) { y = Attention (q, k, v) }"), HasSubstr("has 5"));
  EXPECT_THAT(refused("g (float[1,2,4,8] q, float[1,2,6,8] k, float[1,2,6] v) => (y) { y = Attention (q, k, v) }"), HasSubstr("same rank"));
  EXPECT_THAT(refused("g (float[B,L] q, float[B,S,8] k, float[B,S,8] v) => (y) { y = Attention (q, k, v) }"), HasSubstr("rank 3 or 4"));
  EXPECT_THAT(refused("g (float[1,1,1,1] q, float[1,1,1,1] k, float[1,1,1,1] v, float[1,1,1] p) => (y, a, b) "
                      "{ y, a, b = Attention (q, k, v, , p, p) }"),
              HasSubstr("must have rank 4"));
}

TEST(RotaryEmbeddingRule, KeepsTheShape) {
  EXPECT_EQ(inferred("g (float[B,2,L,8] x, float[9,4] c) => (y) { y = RotaryEmbedding (x, c, c) }"), "float[B,2,L,8]");
  EXPECT_EQ(inferred("g (float[B,L,8] x, float[9,4] c) => (y) { y = RotaryEmbedding <num_heads = 2> (x, c, c) }"), "float[B,L,8]");
  EXPECT_THAT(refused("g (float[B,L,8] x, float[9,4] c) => (y) { y = RotaryEmbedding (x, c, c) }"), HasSubstr("num_heads"));
  EXPECT_THAT(refused("g (float[B,L] x, float[9,4] c) => (y) { y = RotaryEmbedding (x, c, c) }"), HasSubstr("rank 3 or 4"));
}

std::string linear(const std::string& inputs, const std::string& names, const std::string& attributes) {
  return "g (float[B,L,24] q, float[B,L,12] k, float[2,T,10] v" + inputs + ") => (y, s) { y, s = LinearAttention <" + attributes +
         "> (q, k, v" + names + ") }";
}

TEST(LinearAttentionRule, SizesOfHeads) {
  const std::string heads = "q_num_heads = 4, kv_num_heads = 2, update_rule = ";
  EXPECT_EQ(inferred(linear("", "", heads + "\"linear\""), "y"), "float[2,L,20]");
  EXPECT_EQ(inferred(linear("", "", heads + "\"linear\""), "s"), "float[2,2,6,5]");
  EXPECT_EQ(inferred(linear(", float16[2,2,6,5] p, float[2,L,12] d, float[2,L,1] e", ", p, d, e", heads + "\"gated_delta\""), "s"),
            "float16[2,2,6,5]");
  EXPECT_THAT(refused(linear(", float[2,L,7] d", ", , d", heads + "\"gated\"")), HasSubstr("decay is 7"));
  EXPECT_THAT(refused(linear(", float[2,L,3] e", ", , , e", heads + "\"delta\"")), HasSubstr("beta is 3"));
  EXPECT_THAT(refused(linear("", "", heads + "\"gated\"")), HasSubstr("needs the input decay"));
  EXPECT_THAT(refused(linear("", "", heads + "\"other\"")), HasSubstr("update_rule is 'other'"));
  EXPECT_THAT(refused(linear("", "", "q_num_heads = 3, kv_num_heads = 2, update_rule = \"linear\"")), HasSubstr("a multiple"));
  EXPECT_THAT(refused(linear("", "", "q_num_heads = 7, kv_num_heads = 7, update_rule = \"linear\"")), HasSubstr("no multiple of its 7"));
  EXPECT_THAT(refused(linear("", "", "q_num_heads = 2, kv_num_heads = 2, update_rule = \"linear\"")), HasSubstr("12 and 6 differ"));
}

std::string flex(const std::string& keys, const std::string& attributes) {
  return "g (float[B,8,L,16] q, float" + keys + " k, float[2,2,S,12] v) => (y) { y = ai.onnx.preview.FlexAttention " + attributes +
         " (q, k, v) }";
}

TEST(FlexAttentionRule, ShapesAndModifiers) {
  const std::string preview = ", \"ai.onnx.preview\" : 1";
  const auto refuse = [&](const std::string& text) {
    try {
      return inferred(text, "y", 27, preview);
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  const std::string scale = "<score_mod = m (float[B,8,L,S] x) => (float[B,8,L,S] z) { z = Relu (x) }>";
  EXPECT_EQ(inferred(flex("[B,2,S,16]", ""), "y", 27, preview), "float[2,8,L,12]");
  EXPECT_EQ(inferred(flex("[B,2,S,16]", scale), "y", 27, preview), "float[2,8,L,12]");
  EXPECT_THAT(refuse(flex("[B,2,S,15]", "")), HasSubstr("16 and 15 differ"));
  EXPECT_THAT(refuse("g (float[B,8,L,16] q, float[B,3,S,16] k) => (y) { y = ai.onnx.preview.FlexAttention (q, k, k) }"),
              HasSubstr("no multiple of the 3"));
  EXPECT_THAT(refuse(flex("[B,2,S,16]", "<softmax_precision = 7>")), HasSubstr("softmax_precision is 7"));
  EXPECT_THAT(refuse(flex("[B,2,S,16]", "<prob_mod = m (float[B,8,L] x) => (float[B,8,L] z) { z = Relu (x) }>")), HasSubstr("rank 4"));
}

TEST(RecurrentRule, LayoutsDirectionsVersions) {
  const auto net = [](const std::string& op, const std::string& attributes, const std::string& outputs) {
    return "g (float[T,B,4] x, float[2,20,4] w, float[2,20,5] r) => (" + outputs + ") { " + outputs + " = " + op + " <" + attributes +
           "> (x, w, r) }";
  };
  const std::string both = "hidden_size = 5, direction = \"bidirectional\"";
  EXPECT_EQ(inferred(net("LSTM", both, "y, h, c"), "y"), "float[T,2,B,5]");
  EXPECT_EQ(inferred(net("LSTM", both, "y, h, c"), "c"), "float[2,B,5]");
  EXPECT_EQ(inferred(net("GRU", both + ", layout = 1", "y, h"), "y"), "float[T,B,2,5]");
  EXPECT_EQ(inferred(net("RNN", both + ", layout = 1", "y, h"), "h", 14), "float[T,2,5]");
  EXPECT_EQ(inferred(net("GRU", "", "y, h"), "h", 7), "float[1,B,5]");
  EXPECT_EQ(inferred(net("RNN", "direction = \"sideways\"", "y"), "y"), "float[T,?,B,5]");
  EXPECT_EQ(inferred(net("LSTM", both, "y"), "y", 1), "float[]");
  EXPECT_EQ(inferred(net("LSTM", both + ", output_sequence = 1", "y"), "y", 1), "float[T,2,B,5]");
  EXPECT_THAT(refused("g (float[T,B] x, float[1,5,4] w, float[1,5,5] r) => (y) { y = RNN (x, w, r) }"), HasSubstr("must have rank 3"));
}

}  // namespace
}  // namespace sardonyx::infer
