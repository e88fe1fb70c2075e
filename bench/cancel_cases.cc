#include "cancel_cases.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "sardonyx/build.h"
#include "sardonyx/image.h"
#include "sardonyx/text.h"

namespace cancel_bench {
namespace {

using namespace sardonyx;
using namespace sardonyx::model;
using Attributes = std::initializer_list<NamedAttribute>;

Tensor noise(const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, DType::kFloat32);
  uint64_t state = 1;
  for (float& value : tensor.mutable_values<float>()) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    value = static_cast<float>(state >> 40) / static_cast<float>(1 << 24) - 0.5F;
  }
  return tensor;
}

Case unary(const char* op, const Shape& shape, Attributes attributes = {}) {
  return {op, make_node(op, {"i0"}, {"o0"}, attributes), {noise(shape)}};
}

Case with_inputs(std::string name, const char* op, std::vector<Tensor> inputs, Attributes attributes = {},
                 std::vector<DType> outputs = {DType::kFloat32}) {
  std::vector<std::string> from, to;
  for (size_t i = 0; i < inputs.size(); ++i) from.push_back(inputs[i].defined() ? "i" + std::to_string(i) : "");
  for (size_t i = 0; i < outputs.size(); ++i) to.push_back("o" + std::to_string(i));
  return {std::move(name), make_node(op, from, to, attributes), std::move(inputs), std::move(outputs)};
}

Tensor bytes(const Shape& shape, DType dtype) {
  const Tensor from = noise(shape);
  Tensor to = Tensor::empty(shape, dtype);
  auto* at = static_cast<uint8_t*>(to.mutable_raw());
  for (const float value : from.values<float>()) *at++ = static_cast<uint8_t>(static_cast<int>(value * 200));
  return to;
}

Tensor integers(const std::vector<int64_t>& values) { return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values); }

Tensor counting(int64_t count, int64_t below) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(i * 7919 % below);
  return integers(values);
}

// A JPEG or PNG file of 3000 x 3000 pixels.
Tensor photograph(bool jpeg) {
  Image image(ImageMode::kRGB, 3000, 3000);
  uint32_t state = 1;
  for (uint8_t& pixel : image.mutable_samples<uint8_t>()) pixel = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 25);
  const std::vector<std::byte> file = jpeg ? encode_jpeg(image) : encode_png(image);
  Tensor tensor = Tensor::empty({static_cast<int64_t>(file.size())}, DType::kUInt8);
  std::memcpy(tensor.mutable_raw(), file.data(), file.size());
  return tensor;
}

// Boxes that cover most of a plane of 400 x 400.
Tensor rois(int64_t count) {
  Tensor boxes = Tensor::zeros({count, 5});
  for (int64_t i = 0; i < count; ++i) {
    auto row = boxes.mutable_values<float>().subspan(static_cast<size_t>(i) * 5, 5);
    row[3] = row[4] = static_cast<float>(399 - i % 40);
  }
  return boxes;
}

constexpr int64_t kMany = 30'000'000;

std::vector<MakeCase> products() {
  return {
      [] {
        return with_inputs("MatMul 2048^3", "MatMul", {noise({2048, 2048}), noise({2048, 2048})});
      },
      [] {
        return with_inputs("MatMul of a row, 8192x8192", "MatMul", {noise({1, 8192}), noise({8192, 8192})});
      },
      [] {
        return with_inputs("MatMul, 100000 of 8x8", "MatMul", {noise({100000, 8, 8}), noise({100000, 8, 8})});
      },
      [] {
        return with_inputs("MatMulInteger 2048^3", "MatMulInteger",
                           {bytes({2048, 2048}, DType::kUInt8), bytes({2048, 2048}, DType::kUInt8)}, {}, {DType::kInt32});
      },
      [] {
        return with_inputs("Einsum bij,bjk->bik", "Einsum", {noise({64, 512, 512}), noise({64, 512, 512})}, {{"equation", "bij,bjk->bik"}});
      },
      [] {
        return with_inputs("Einsum ij,ij->", "Einsum", {noise({8000, 2000}), noise({8000, 2000})}, {{"equation", "ij,ij->"}});
      },
      [] {
        return with_inputs("Det 1500^2", "Det", {noise({1500, 1500})});
      },
  };
}

std::vector<MakeCase> convolutions() {
  return {
      [] {
        return with_inputs("Conv 3x3, 1080p", "Conv", {noise({1, 16, 1080, 1920}), noise({16, 16, 3, 3})}, {{"pads", {1, 1, 1, 1}}});
      },
      [] {
        return with_inputs("Conv 1x1, 512 channels", "Conv", {noise({1, 512, 128, 128}), noise({512, 512, 1, 1})});
      },
      [] {
        return with_inputs("Conv depthwise 7x7", "Conv", {noise({1, 64, 512, 512}), noise({64, 1, 7, 7})}, {{"group", 64}});
      },
      [] {
        return with_inputs("Conv, one long line", "Conv", {noise({1, 1, 4000000}), noise({1, 1, 101})});
      },
      [] {
        return with_inputs("ConvTranspose", "ConvTranspose", {noise({1, 64, 256, 256}), noise({64, 32, 4, 4})}, {{"strides", {2, 2}}});
      },
      [] {
        return with_inputs("DeformConv", "DeformConv", {noise({1, 32, 200, 200}), noise({32, 32, 3, 3}), noise({1, 18, 198, 198})});
      },
      [] {
        return with_inputs("ConvInteger", "ConvInteger", {bytes({1, 64, 256, 256}, DType::kUInt8), bytes({64, 64, 3, 3}, DType::kUInt8)},
                           {}, {DType::kInt32});
      },
      [] {
        return unary("MaxPool", {1, 16, 1500, 1500}, {{"kernel_shape", {7, 7}}});
      },
      [] {
        return with_inputs("MaxPool with indices", "MaxPool", {noise({1, 1, 3000, 3000})}, {{"kernel_shape", {7, 7}}},
                           {DType::kFloat32, DType::kInt64});
      },
      [] {
        return unary("AveragePool", {1, 16, 1500, 1500}, {{"kernel_shape", {7, 7}}});
      },
      [] {
        return unary("LpPool", {1, 1, 3000, 3000}, {{"kernel_shape", {7, 7}}});
      },
      [] {
        return unary("GlobalAveragePool", {1, 1, 6000, 5000});
      },
      [] {
        return with_inputs("Resize cubic", "Resize", {noise({1, 3, 1000, 1000}), Tensor(), Tensor::of<float>({4}, {1, 1, 3, 3})},
                           {{"mode", "cubic"}});
      },
      [] {
        return with_inputs("GridSample", "GridSample", {noise({1, 16, 800, 800}), noise({1, 800, 800, 2})});
      },
      [] {
        return with_inputs("Col2Im", "Col2Im", {noise({1, 25, 2000 * 2000}), integers({2004, 2004}), integers({5, 5})});
      },
      [] {
        return with_inputs("RoiAlign", "RoiAlign", {noise({1, 64, 200, 200}), Tensor::ones({200, 4}), counting(200, 1)},
                           {{"output_height", 14}, {"output_width", 14}, {"sampling_ratio", 8}});
      },
      [] {
        return with_inputs("LRN", "LRN", {noise({1, 64, 500, 500})}, {{"size", 9}});
      },
  };
}

std::vector<MakeCase> lines() {
  return {
      [] {
        return with_inputs("TopK of one line", "TopK", {noise({kMany}), integers({1000})}, {}, {DType::kFloat32, DType::kInt64});
      },
      [] {
        return with_inputs("TopK, all of a line", "TopK", {noise({kMany / 4}), integers({kMany / 4})}, {},
                           {DType::kFloat32, DType::kInt64});
      },
      [] { return with_inputs("Unique", "Unique", {noise({kMany / 4})}, {}); },
      [] {
        return with_inputs("Unique rows", "Unique", {noise({200000, 8})}, {{"axis", 0}});
      },
      [] {
        return with_inputs("NonMaxSuppression", "NonMaxSuppression",
                           {noise({1, 40000, 4}), noise({1, 1, 40000}), integers({40000}), Tensor::of<float>({1}, {0.99F})}, {},
                           {DType::kInt64});
      },
      [] {
        return with_inputs("CumSum of one line", "CumSum", {noise({kMany}), Tensor::scalar(int64_t{0})});
      },
      [] {
        return unary("Softmax", {1, kMany});
      },
      [] {
        return unary("LogSoftmax", {1, kMany});
      },
      [] {
        return unary("Hardmax", {1, kMany});
      },
      [] {
        return unary("Softmax", {kMany / 1000, 1000});
      },
      [] { return unary("ReduceSum", {kMany}); },
      [] { return unary("ReduceLogSumExp", {kMany}); },
      [] { return unary("ReduceL2", {kMany}); },
      [] { return unary("ArgMax", {kMany}); },
      [] {
        return with_inputs("LayerNormalization of one row", "LayerNormalization", {noise({1, kMany / 2}), noise({kMany / 2})});
      },
      [] {
        return with_inputs("InstanceNormalization", "InstanceNormalization", {noise({1, 1, kMany}), noise({1}), noise({1})});
      },
      [] {
        return unary("LpNormalization", {1, kMany});
      },
      [] {
        return unary("MeanVarianceNormalization", {1, 1, 5000, 5000});
      },
      [] {
        return with_inputs("DFT of one line", "DFT", {noise({1, 1 << 22, 1})});
      },
      [] {
        return with_inputs("DFT of a prime length", "DFT", {noise({1, 1000003, 1})});
      },
      [] {
        return with_inputs("STFT", "STFT", {noise({1, 4000000, 1}), Tensor::scalar(int64_t{256}), Tensor(), Tensor::scalar(int64_t{1024})});
      },
  };
}

std::vector<MakeCase> movement() {
  return {
      [] { return unary("Exp", {kMany}); },
      [] { return unary("Erf", {kMany}); },
      [] {
        return with_inputs("Add with broadcast", "Add", {noise({kMany / 1000, 1000}), noise({1000})});
      },
      [] {
        return with_inputs("Pow", "Pow", {noise({kMany}), Tensor::scalar(2.5F)});
      },
      [] {
        return with_inputs("Where", "Where", {Tensor::zeros({kMany}, DType::kBool), noise({kMany}), noise({kMany})});
      },
      [] {
        Case c = unary("Cast", {kMany}, {{"to", 10}});
        c.outputs = {DType::kFloat16};
        return c;
      },
      [] {
        return unary("Transpose", {5500, 5500});
      },
      [] {
        return unary("Transpose", {300, 310, 320}, {{"perm", {2, 1, 0}}});
      },
      [] {
        return with_inputs("Gather of single elements", "Gather", {noise({kMany}), counting(10'000'000, kMany)});
      },
      [] {
        return with_inputs("GatherElements", "GatherElements", {noise({kMany}), counting(10'000'000, kMany)});
      },
      [] {
        return with_inputs("GatherND", "GatherND", {noise({kMany}), counting(10'000'000, kMany).reshape({10'000'000, 1})});
      },
      [] {
        return with_inputs("ScatterElements", "ScatterElements", {noise({kMany}), counting(10'000'000, kMany), noise({10'000'000})});
      },
      [] {
        return with_inputs("ScatterND", "ScatterND",
                           {noise({kMany}), counting(10'000'000, kMany).reshape({10'000'000, 1}), noise({10'000'000})});
      },
      [] {
        return with_inputs("Concat", "Concat", {noise({1, kMany}), noise({1, kMany})}, {{"axis", 0}});
      },
      [] {
        return with_inputs("Expand", "Expand", {noise({1000, 1}), integers({1000, 30000})});
      },
      [] {
        return with_inputs("Tile", "Tile", {noise({1000, 30}), integers({1, 1000})});
      },
      [] {
        return with_inputs("Pad", "Pad", {noise({5500, 5500}), integers({3, 3, 3, 3})}, {{"mode", "reflect"}});
      },
      [] {
        return with_inputs("OneHot", "OneHot", {counting(30000, 1000), integers({1000}), Tensor::of<float>({2}, {0, 1})});
      },
      [] { return with_inputs("NonZero", "NonZero", {noise({kMany})}, {}, {DType::kInt64}); },
      [] {
        return unary("DepthToSpace", {1, 36, 900, 900}, {{"blocksize", 3}});
      },
      [] {
        return with_inputs("Range", "Range", {Tensor::scalar(0.0F), Tensor::scalar(3e7F), Tensor::scalar(1.0F)});
      },
      [] {
        return unary("Trilu", {5500, 5500});
      },
      [] {
        return with_inputs("ReverseSequence", "ReverseSequence", {noise({8, 4000000}), counting(4000000, 8)});
      },
      [] { return unary("RandomNormalLike", {kMany}); },
      [] {
        return with_inputs("Multinomial", "Multinomial", {noise({8, 100000})}, {{"sample_size", 300000}}, {DType::kInt32});
      },
      [] {
        return with_inputs("QuantizeLinear", "QuantizeLinear", {noise({kMany}), Tensor::scalar(0.1F), Tensor::zeros({}, DType::kInt8)}, {},
                           {DType::kInt8});
      },
      [] {
        return with_inputs("DynamicQuantizeLinear", "DynamicQuantizeLinear", {noise({kMany})}, {},
                           {DType::kUInt8, DType::kFloat32, DType::kUInt8});
      },
  };
}

std::vector<MakeCase> sequences() {
  return {
      [] {
        return with_inputs("LSTM, 400 steps", "LSTM", {noise({400, 1, 512}), noise({1, 2048, 512}), noise({1, 2048, 512})},
                           {{"hidden_size", 512}});
      },
      [] {
        return with_inputs("LSTM, batch of 256", "LSTM", {noise({20, 256, 512}), noise({1, 2048, 512}), noise({1, 2048, 512})},
                           {{"hidden_size", 512}});
      },
      [] {
        return with_inputs("GRU, 400 steps", "GRU", {noise({400, 4, 512}), noise({1, 1536, 512}), noise({1, 1536, 512})},
                           {{"hidden_size", 512}});
      },
      [] {
        Case c =
            with_inputs("Attention, 4096 tokens", "Attention", {noise({1, 4, 4096, 64}), noise({1, 4, 4096, 64}), noise({1, 4, 4096, 64})});
        c.opset = 23;
        return c;
      },
  };
}

Tensor words(int64_t count) {
  std::vector<std::string> values;
  for (int64_t i = 0; i < count; ++i) values.push_back("word number " + std::to_string(i * 7919 % count));
  return Tensor::of_strings({count}, std::move(values));
}

Case of_text(std::string name, std::string text, std::vector<Tensor> inputs) {
  return {.name = std::move(name), .node = {}, .inputs = std::move(inputs), .text = "<ir_version: 9, opset_import: [\"\" : 20]>\n" + text};
}

Case in_domain(const char* domain, Case c) {
  c.node.domain = domain;
  return c;
}

std::vector<MakeCase> strings() {
  return {
      [] {
        return with_inputs("StringConcat", "StringConcat", {words(2000000), words(2000000)}, {}, {DType::kString});
      },
      [] {
        return with_inputs("StringSplit", "StringSplit", {words(1000000)}, {{"delimiter", " "}}, {DType::kString, DType::kInt64});
      },
      [] {
        return with_inputs("RegexFullMatch", "RegexFullMatch", {words(2000000)}, {{"pattern", "(word|b)+ .*[0-9]+7"}}, {DType::kBool});
      },
      [] {
        return with_inputs("RegexFullMatch of one string", "RegexFullMatch", {Tensor::of_strings({1}, {std::string(20'000'000, 'a')})},
                           {{"pattern", "(a|b)*c?"}}, {DType::kBool});
      },
      [] {
        return with_inputs("StringNormalizer", "StringNormalizer", {words(2000000)}, {{"case_change_action", "UPPER"}}, {DType::kString});
      },
      [] {
        return with_inputs("StringNormalizer, stop words", "StringNormalizer", {words(1000000)},
                           {{"case_change_action", "LOWER"}, {"stopwords", {"word number 3", "the"}}}, {DType::kString});
      },
      [] {
        return with_inputs("Cast to strings", "Cast", {noise({1000000})}, {{"to", 8}}, {DType::kString});
      },
      [] {
        std::vector<std::string> numbers;
        for (int i = 0; i < 1000000; ++i) numbers.push_back(std::to_string(i * 0.37));
        return with_inputs("Cast from strings", "Cast", {Tensor::of_strings({1000000}, std::move(numbers))}, {{"to", 1}});
      },
      [] {
        return with_inputs("Equal of strings", "Equal", {words(2000000), words(2000000)}, {}, {DType::kBool});
      },
      [] {
        return with_inputs("Gather of strings", "Gather", {words(1000000), counting(2000000, 1000000)}, {}, {DType::kString});
      },
      [] {
        return with_inputs("Transpose of strings", "Transpose", {words(2000000).reshape({2000, 1000})}, {}, {DType::kString});
      },
      [] {
        return with_inputs("Concat of strings", "Concat", {words(1000000), words(1000000)}, {{"axis", 0}}, {DType::kString});
      },
      [] {
        return with_inputs("TfIdfVectorizer", "TfIdfVectorizer", {counting(3000000, 50)},
                           {{"mode", "TF"},
                            {"min_gram_length", 1},
                            {"max_gram_length", 3},
                            {"max_skip_count", 2},
                            {"ngram_counts", {0, 3, 7}},
                            {"ngram_indexes", {0, 1, 2, 3, 4, 5}},
                            {"pool_int64s", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}});
      },
      [] {
        return in_domain(
            "ai.onnx.ml",
            with_inputs("LabelEncoder of strings", "LabelEncoder", {words(2000000)},
                        {{"keys_strings", {"word number 1", "word number 7"}}, {"values_int64s", {1, 2}}, {"default_int64", -1}},
                        {DType::kInt64}));
      },
  };
}

std::vector<MakeCase> bodies() {
  return {
      [] {
        return of_text("Loop of a short body",
                       R"(g (int64 i0, float[8] i1) => (float[8] o) { o = Loop (i0, , i1) <body = b (int64 i, bool go, float[8] v)
                       => (bool go2, float[8] w) { go2 = Identity (go) w = Neg (v) }> })",
                       {Tensor::scalar<int64_t>(400000), noise({8})});
      },
      [] {
        return of_text("Loop that stacks",
                       R"(g (int64 i0, float[8] i1) => (float[k, 8] o) { l, o = Loop (i0, , i1) <body = b (int64 i, bool go, float[8] v)
                       => (bool go2, float[8] w, float[8] s) { go2 = Identity (go) w = Neg (v) s = Identity (w) }> })",
                       {Tensor::scalar<int64_t>(200000), noise({8})});
      },
      [] {
        return of_text("Loop that concatenates",
                       R"(g (int64 i0, float[n] i1) => (float[m] o) { o = Loop (i0, , i1) <body = b (int64 i, bool go, float[n] v)
                       => (bool go2, float[m] w) { go2 = Identity (go) w = Concat <axis = 0> (v, i1) }> })",
                       {Tensor::scalar<int64_t>(3000), noise({1000})});
      },
      [] {
        return of_text("Scan of a long sequence",
                       R"(g (float[8] i0, float[n, 8] i1) => (float[8] last, float[n, 8] o) {
                       last, o = Scan <num_scan_inputs = 1, body = b (float[8] s, float[8] v) => (float[8] t, float[8] u)
                       { t = Add (s, v) u = Identity (t) }> (i0, i1) })",
                       {noise({8}), noise({200000, 8})});
      },
      [] {
        return of_text("SplitToSequence, Concat",
                       R"(g (float[n] i0) => (float[m] o) { s = SplitToSequence <axis = 0, keepdims = 1> (i0)
                       o = ConcatFromSequence <axis = 0> (s) })",
                       {noise({1000000})});
      },
      [] {
        return of_text("SequenceMap",
                       R"(g (float[n] i0) => (float[m] o) { s = SplitToSequence <axis = 0, keepdims = 1> (i0)
                       t = SequenceMap <body = b (float[1] v) => (float[1] w) { w = Neg (v) }> (s)
                       o = ConcatFromSequence <axis = 0> (t) })",
                       {noise({200000})});
      },
      [] {
        return of_text("Loop over a growing sequence",
                       R"(g (int64 i0, seq(float[n]) i1) => (seq(float[n]) o) { x = Constant <value = float[1] {1}> ()
                       o = Loop (i0, , i1) <body = b (int64 i, bool go, seq(float[n]) v)
                       => (bool go2, seq(float[n]) w) { go2 = Identity (go) w = SequenceInsert (v, x) }> })",
                       {Tensor::scalar<int64_t>(5000), Tensor::of_tensors({})});
      },
  };
}

// 100 trees of 1,023 nodes each, that compare one feature after the other.
Case forest() {
  std::vector<int64_t> trees, nodes, features, yes, no, leaf_trees, leaf_nodes, targets;
  std::vector<float> values, weights;
  std::vector<std::string> modes;
  for (int64_t tree = 0; tree < 100; ++tree) {
    for (int64_t node = 0; node < 1023; ++node) {
      const bool is_leaf = node >= 511;
      trees.push_back(tree);
      nodes.push_back(node);
      features.push_back((node * 7 + tree) % 32);
      values.push_back(static_cast<float>(node % 17) / 17.0F - 0.5F);
      modes.emplace_back(is_leaf ? "LEAF" : "BRANCH_LEQ");
      yes.push_back(is_leaf ? 0 : 2 * node + 1);
      no.push_back(is_leaf ? 0 : 2 * node + 2);
      if (!is_leaf) continue;
      leaf_trees.push_back(tree);
      leaf_nodes.push_back(node);
      targets.push_back(0);
      weights.push_back(0.5F);
    }
  }
  return in_domain("ai.onnx.ml", with_inputs("TreeEnsembleRegressor", "TreeEnsembleRegressor", {noise({20000, 32})},
                                             {{"nodes_treeids", trees},
                                              {"nodes_nodeids", nodes},
                                              {"nodes_featureids", features},
                                              {"nodes_values", values},
                                              {"nodes_modes", modes},
                                              {"nodes_truenodeids", yes},
                                              {"nodes_falsenodeids", no},
                                              {"target_treeids", leaf_trees},
                                              {"target_nodeids", leaf_nodes},
                                              {"target_ids", targets},
                                              {"target_weights", weights},
                                              {"n_targets", 1}}));
}

std::vector<MakeCase> learners() {
  return {
      forest,
      [] {
        const Tensor vectors = noise({2000 * 64});
        const auto floats = vectors.values<float>();
        const std::vector<float> coefficients(2000, 0.1F);
        return in_domain("ai.onnx.ml", with_inputs("SVMRegressor", "SVMRegressor", {noise({4000, 64})},
                                                   {{"kernel_type", "RBF"},
                                                    {"kernel_params", {0.1F, 0.0F, 3.0F}},
                                                    {"n_supports", 2000},
                                                    {"coefficients", coefficients},
                                                    {"rho", {0.5F}},
                                                    {"support_vectors", std::vector<float>(floats.begin(), floats.end())}}));
      },
      [] {
        return in_domain("ai.onnx.ml", with_inputs("Normalizer of one row", "Normalizer", {noise({1, kMany})}, {{"norm", "L2"}}));
      },
      [] {
        return in_domain("ai.onnx.ml", with_inputs("Scaler", "Scaler", {noise({kMany / 8, 8})}, {{"offset", {0.5F}}, {"scale", {2.0F}}}));
      },
      [] {
        return in_domain("ai.onnx.ml", with_inputs("LabelEncoder", "LabelEncoder", {counting(10'000'000, 1000)},
                                                   {{"keys_int64s", {1, 2, 3}}, {"values_int64s", {4, 5, 6}}}, {DType::kInt64}));
      },
      [] {
        return in_domain("ai.onnx.ml",
                         with_inputs("ArrayFeatureExtractor", "ArrayFeatureExtractor", {noise({100000, 100}), counting(100, 100)}));
      },
      [] {
        return with_inputs("SoftmaxCrossEntropyLoss", "SoftmaxCrossEntropyLoss", {noise({300000, 100}), counting(300000, 100)});
      },
      [] {
        return with_inputs("NegativeLogLikelihoodLoss", "NegativeLogLikelihoodLoss",
                           {noise({1, 8, 4000, 1000}), counting(4000000, 8).reshape({1, 4000, 1000})});
      },
      [] {
        return with_inputs("ImageDecoder, JPEG", "ImageDecoder", {photograph(true)}, {{"pixel_format", "RGB"}}, {DType::kUInt8});
      },
      [] {
        return with_inputs("ImageDecoder, PNG", "ImageDecoder", {photograph(false)}, {{"pixel_format", "RGB"}}, {DType::kUInt8});
      },
  };
}

std::vector<MakeCase> more_lines() {
  return {
      [] {
        return with_inputs("CumSum of few wide rows", "CumSum", {noise({4, kMany / 4}), Tensor::scalar(int64_t{0})});
      },
      [] {
        Case c = with_inputs("CumProd of one line", "CumProd", {noise({kMany}), Tensor::scalar(int64_t{0})});
        c.opset = 26;
        return c;
      },
      [] {
        return unary("ReduceMax", {3, kMany / 3}, {{"keepdims", 0}});
      },
      [] {
        return with_inputs("ReduceProd of columns", "ReduceProd", {noise({kMany / 4, 4}), integers({0})});
      },
      [] { return unary("ReduceSumSquare", {kMany}); },
      [] { return with_inputs("ReduceMean of float64", "ReduceMean", {noise({kMany / 2}).to(DType::kFloat64)}, {}, {DType::kFloat64}); },
      [] { return with_inputs("ReduceSum of int64", "ReduceSum", {counting(20'000'000, 1000)}, {}, {DType::kInt64}); },
      [] {
        Case c = unary("Softmax", {kMany / 8, 8}, {{"axis", 0}});
        c.name = "Softmax of columns";
        return c;
      },
      [] {
        return with_inputs("Softmax of float16", "Softmax", {noise({1, kMany / 2}).to(DType::kFloat16)}, {}, {DType::kFloat16});
      },
      [] {
        return with_inputs("Softmax of float64", "Softmax", {noise({1, kMany / 4}).to(DType::kFloat64)}, {}, {DType::kFloat64});
      },
      [] {
        Case c = with_inputs("RMSNormalization of one row", "RMSNormalization", {noise({1, kMany / 2}), noise({kMany / 2})});
        c.opset = 23;
        return c;
      },
      [] {
        return with_inputs("GroupNormalization of one group", "GroupNormalization", {noise({1, 4, kMany / 4}), noise({4}), noise({4})},
                           {{"num_groups", 1}});
      },
      [] {
        return with_inputs("LayerNormalization of float64", "LayerNormalization",
                           {noise({1, kMany / 4}).to(DType::kFloat64), noise({kMany / 4}).to(DType::kFloat64)}, {}, {DType::kFloat64});
      },
      [] {
        return with_inputs("BatchNormalization of one plane", "BatchNormalization",
                           {noise({1, 1, kMany}), noise({1}), noise({1}), noise({1}), Tensor::ones({1})});
      },
      [] {
        return with_inputs("DFT of columns", "DFT", {noise({1, 4096, 1024, 1}), Tensor(), Tensor::scalar(int64_t{1})});
      },
      [] {
        return with_inputs("DFT of float64", "DFT", {noise({1, 1 << 21, 2}).to(DType::kFloat64)}, {}, {DType::kFloat64});
      },
      [] {
        return with_inputs("MelWeightMatrix", "MelWeightMatrix",
                           {Tensor::scalar(int64_t{4000}), Tensor::scalar(int64_t{16000}), Tensor::scalar(int64_t{48000}),
                            Tensor::scalar(0.0F), Tensor::scalar(20000.0F)});
      },
      [] { return with_inputs("HannWindow", "HannWindow", {Tensor::scalar(int64_t{20'000'000})}); },
      [] {
        return with_inputs("TopK of columns", "TopK", {noise({100000, 50}), integers({500})}, {{"axis", 0}},
                           {DType::kFloat32, DType::kInt64});
      },
      [] { return with_inputs("Unique of strings", "Unique", {words(1000000)}, {}, {DType::kString}); },
      [] {
        return with_inputs("Unique, unsorted", "Unique", {counting(5'000'000, 1000003)}, {{"sorted", 0}}, {DType::kInt64});
      },
      [] {
        return with_inputs("NonMaxSuppression, many classes", "NonMaxSuppression",
                           {noise({1, 4000, 4}), noise({1, 200, 4000}), integers({4000}), Tensor::of<float>({1}, {0.99F})}, {},
                           {DType::kInt64});
      },
      [] {
        return with_inputs("Einsum ij,jk,kl->il", "Einsum", {noise({1024, 1024}), noise({1024, 1024}), noise({1024, 1024})},
                           {{"equation", "ij,jk,kl->il"}});
      },
      [] {
        return with_inputs("Einsum i,j->ij", "Einsum", {noise({6000}), noise({5000})}, {{"equation", "i,j->ij"}});
      },
      [] {
        return with_inputs("Einsum iji->j", "Einsum", {noise({300, 300, 300})}, {{"equation", "iji->j"}});
      },
      [] {
        return with_inputs("Einsum of int32", "Einsum", {noise({512, 512}).to(DType::kInt32), noise({512, 512}).to(DType::kInt32)},
                           {{"equation", "ij,jk->ik"}}, {DType::kInt32});
      },
  };
}

std::vector<MakeCase> more_movement() {
  return {
      [] {
        return with_inputs("Gather of large rows", "Gather", {noise({20, 3'000'000}), counting(12, 20)});
      },
      [] {
        return with_inputs("GatherND of large rows", "GatherND", {noise({20, 3'000'000}), counting(12, 20).reshape({12, 1})});
      },
      [] {
        return with_inputs("ScatterND of large rows", "ScatterND",
                           {noise({12, 3'000'000}), counting(12, 12).reshape({12, 1}), noise({12, 3'000'000})});
      },
      [] {
        return with_inputs("ScatterND, sums", "ScatterND",
                           {noise({kMany}), counting(5'000'000, kMany).reshape({5'000'000, 1}), noise({5'000'000})},
                           {{"reduction", "add"}});
      },
      [] {
        return with_inputs("ScatterElements of columns", "ScatterElements",
                           {noise({5000, 2000}), counting(10'000'000, 5000).reshape({5000, 2000}), noise({5000, 2000})}, {{"axis", 0}});
      },
      [] {
        return with_inputs("TensorScatter", "TensorScatter", {noise({4, 8, 100000, 8}), noise({4, 8, 1000, 8}), integers({0, 1, 2, 3})});
      },
      [] {
        return with_inputs("Concat of an inner axis", "Concat", {noise({5'000'000, 3}), noise({5'000'000, 2})}, {{"axis", 1}});
      },
      [] {
        Case c = with_inputs("Split of an inner axis", "Split", {noise({5'000'000, 6})}, {{"axis", 1}, {"num_outputs", 2}},
                             {DType::kFloat32, DType::kFloat32});
        return c;
      },
      [] {
        return with_inputs("Slice backwards", "Slice",
                           {noise({kMany}), integers({-1}), integers({-kMany - 1}), integers({0}), integers({-1})});
      },
      [] {
        return with_inputs("Compress", "Compress", {noise({kMany}), Tensor::ones({kMany}, DType::kBool)}, {{"axis", 0}});
      },
      [] {
        return with_inputs("Tile of one row", "Tile", {noise({3'000'000}), integers({10})});
      },
      [] {
        return with_inputs("Expand of a scalar", "Expand", {noise({1}), integers({kMany})});
      },
      [] { return with_inputs("ConstantOfShape", "ConstantOfShape", {integers({kMany})}); },
      [] {
        return with_inputs("EyeLike", "EyeLike", {noise({5500, 5500})});
      },
      [] {
        return with_inputs("ReverseSequence of long rows", "ReverseSequence", {noise({16, 1, 2'000'000}), integers({16})});
      },
      [] {
        return with_inputs("Pad of one row", "Pad", {noise({kMany}), integers({100, 100})});
      },
      [] {
        return with_inputs("CenterCropPad", "CenterCropPad", {noise({5500, 5500}), integers({5400, 5600})});
      },
      [] {
        Case c = unary("SpaceToDepth", {1, 4, 2700, 2700}, {{"blocksize", 3}});
        return c;
      },
      [] {
        return with_inputs("Resize of one row", "Resize", {noise({1, 1, 4'000'000}), Tensor(), Tensor::of<float>({3}, {1, 1, 5})},
                           {{"mode", "linear"}});
      },
      [] {
        return with_inputs("Resize nearest", "Resize", {noise({1, 3, 1500, 1500}), Tensor(), Tensor::of<float>({4}, {1, 1, 2, 2})});
      },
      [] {
        return with_inputs("Resize antialias", "Resize", {noise({1, 3, 3000, 3000}), Tensor(), Tensor::of<float>({4}, {1, 1, 0.3F, 0.3F})},
                           {{"mode", "cubic"}, {"antialias", 1}});
      },
      [] {
        return with_inputs("MaxUnpool", "MaxUnpool",
                           {noise({1, 1, 2000, 2000}), counting(4'000'000, 16'000'000).reshape({1, 1, 2000, 2000})},
                           {{"kernel_shape", {2, 2}}, {"strides", {2, 2}}});
      },
      [] {
        return with_inputs("MaxRoiPool", "MaxRoiPool", {noise({1, 16, 400, 400}), rois(3000)}, {{"pooled_shape", {7, 7}}});
      },
      [] {
        Case c = unary("GlobalMaxPool", {1, 1, 6000, 5000});
        return c;
      },
      [] {
        return unary("GlobalLpPool", {1, 1, 5000, 5000});
      },
      [] {
        return with_inputs("AffineGrid", "AffineGrid", {noise({1, 2, 3}), integers({1, 3, 4000, 4000})});
      },
      [] {
        return with_inputs("Mod of float", "Mod", {noise({kMany}), noise({kMany})}, {{"fmod", 1}});
      },
      [] {
        return with_inputs("Pow of int64", "Pow", {counting(10'000'000, 10), counting(10'000'000, 7)}, {}, {DType::kInt64});
      },
      [] { return with_inputs("Sin of float64", "Sin", {noise({kMany / 3}).to(DType::kFloat64)}, {}, {DType::kFloat64}); },
      [] { return with_inputs("Tanh of float16", "Tanh", {noise({kMany}).to(DType::kFloat16)}, {}, {DType::kFloat16}); },
      [] {
        return with_inputs("Cast to float8", "Cast", {noise({kMany})}, {{"to", 17}}, {DType::kFloat8E4M3FN});
      },
      [] {
        return with_inputs("Cast to int4", "Cast", {noise({kMany})}, {{"to", 22}}, {DType::kInt4});
      },
      [] {
        return with_inputs("Max of four", "Max", {noise({kMany / 3}), noise({kMany / 3}), noise({kMany / 3}), noise({kMany / 3})});
      },
      [] {
        return with_inputs("PRelu", "PRelu", {noise({1, 10, kMany / 10}), noise({10, 1})});
      },
      [] {
        return with_inputs("Dropout", "Dropout", {noise({kMany}), Tensor::scalar(0.5F), Tensor::scalar(true)});
      },
      [] { return with_inputs("Bernoulli", "Bernoulli", {Tensor::full({kMany}, 0.5)}); },
      [] {
        return with_inputs("DequantizeLinear, blocks", "DequantizeLinear",
                           {bytes({2000, 8000}, DType::kInt8), noise({2000, 250}), Tensor::zeros({2000, 250}, DType::kInt8)},
                           {{"axis", 1}, {"block_size", 32}});
      },
      [] {
        return in_domain("ai.onnx.preview.training", with_inputs("Adam", "Adam",
                                                                 {Tensor::scalar(0.1F), Tensor::scalar(int64_t{1}), noise({kMany / 4}),
                                                                  noise({kMany / 4}), noise({kMany / 4}), Tensor::ones({kMany / 4})},
                                                                 {}, {DType::kFloat32, DType::kFloat32, DType::kFloat32}));
      },
  };
}

std::vector<MakeCase> more_products() {
  return {
      [] {
        return with_inputs("MatMul of float64", "MatMul",
                           {noise({1024, 1024}).to(DType::kFloat64), noise({1024, 1024}).to(DType::kFloat64)}, {}, {DType::kFloat64});
      },
      [] {
        return with_inputs("MatMul of int32", "MatMul", {noise({768, 768}).to(DType::kInt32), noise({768, 768}).to(DType::kInt32)}, {},
                           {DType::kInt32});
      },
      [] {
        return with_inputs("MatMul of float16", "MatMul",
                           {noise({2048, 2048}).to(DType::kFloat16), noise({2048, 2048}).to(DType::kFloat16)}, {}, {DType::kFloat16});
      },
      [] {
        return with_inputs("MatMul, one long sum", "MatMul", {noise({4, kMany / 4}), noise({kMany / 4, 4})});
      },
      [] {
        return with_inputs("Gemm, both transposed", "Gemm", {noise({2048, 2048}), noise({2048, 2048}), noise({2048})},
                           {{"transA", 1}, {"transB", 1}});
      },
      [] {
        return with_inputs(
            "QLinearMatMul", "QLinearMatMul",
            {bytes({2048, 2048}, DType::kUInt8), Tensor::scalar(0.1F), Tensor::zeros({}, DType::kUInt8), bytes({2048, 2048}, DType::kUInt8),
             Tensor::scalar(0.1F), Tensor::zeros({}, DType::kUInt8), Tensor::scalar(0.1F), Tensor::zeros({}, DType::kUInt8)},
            {}, {DType::kUInt8});
      },
      [] {
        return with_inputs("QLinearConv", "QLinearConv",
                           {bytes({1, 64, 256, 256}, DType::kUInt8), Tensor::scalar(0.1F), Tensor::zeros({}, DType::kUInt8),
                            bytes({64, 64, 3, 3}, DType::kUInt8), Tensor::scalar(0.1F), Tensor::zeros({}, DType::kUInt8),
                            Tensor::scalar(0.1F), Tensor::zeros({}, DType::kUInt8)},
                           {}, {DType::kUInt8});
      },
      [] {
        return in_domain("com.microsoft", with_inputs("MatMulNBits", "MatMulNBits",
                                                      {noise({64, 4096}), bytes({4096, 128, 16}, DType::kUInt8), noise({4096 * 128})},
                                                      {{"K", 4096}, {"N", 4096}, {"bits", 4}, {"block_size", 32}}));
      },
      [] {
        return with_inputs("Conv of volumes", "Conv", {noise({1, 8, 64, 128, 128}), noise({8, 8, 3, 3, 3})});
      },
      [] {
        return with_inputs("Conv, long kernel", "Conv", {noise({1, 8, 100000}), noise({8, 8, 4001})});
      },
      [] {
        return with_inputs("Conv, deep, one output", "Conv", {noise({1, 256, 64, 64}), noise({16, 256, 64, 64})});
      },
      [] {
        return with_inputs("Conv of float64", "Conv",
                           {noise({1, 16, 256, 256}).to(DType::kFloat64), noise({16, 16, 3, 3}).to(DType::kFloat64)}, {},
                           {DType::kFloat64});
      },
      [] {
        return with_inputs("ConvTranspose, one long line", "ConvTranspose", {noise({1, 1, 2000000}), noise({1, 1, 65})},
                           {{"strides", {3}}});
      },
      [] {
        return with_inputs("MaxPool, one long line", "MaxPool", {noise({1, 1, kMany})}, {{"kernel_shape", {9}}});
      },
      [] {
        return with_inputs("AveragePool, one long line", "AveragePool", {noise({1, 1, kMany})}, {{"kernel_shape", {9}}});
      },
      [] {
        return with_inputs("AveragePool, one window", "AveragePool", {noise({1, 1, 5000, 5000})}, {{"kernel_shape", {5000, 5000}}});
      },
      [] {
        return with_inputs("RNN, 400 steps", "RNN", {noise({400, 4, 512}), noise({1, 1024, 512}), noise({1, 1024, 1024})},
                           {{"hidden_size", 1024}});
      },
      [] {
        return with_inputs("LSTM, one wide step", "LSTM", {noise({2, 1, 3072}), noise({1, 4 * 3072, 3072}), noise({1, 4 * 3072, 3072})},
                           {{"hidden_size", 3072}});
      },
      [] {
        Case c = with_inputs("Attention of one query", "Attention",
                             {noise({1, 1, 1, 64}), noise({1, 1, 400000, 64}), noise({1, 1, 400000, 64})});
        c.opset = 23;
        return c;
      },
      [] {
        Case c = with_inputs("MatMul, weights packed", "MatMul", {noise({4, 8192}), noise({8192, 8192})});
        c.constant = {false, true};
        return c;
      },
      [] {
        Case c = with_inputs("MatMulInteger, weights packed", "MatMulInteger",
                             {bytes({4, 8192}, DType::kUInt8), bytes({8192, 8192}, DType::kUInt8)}, {}, {DType::kInt32});
        c.constant = {false, true};
        return c;
      },
      [] {
        Case c = with_inputs("Conv, weights packed", "Conv", {noise({1, 4096, 3, 3}), noise({2048, 4096, 3, 3})});
        c.constant = {false, true};
        return c;
      },
      [] {
        Case c = with_inputs("LSTM, weights packed", "LSTM", {noise({1, 1, 2048}), noise({1, 4 * 2048, 2048}), noise({1, 4 * 2048, 2048})},
                             {{"hidden_size", 2048}});
        c.constant = {false, true, true};
        return c;
      },
  };
}

}  // namespace

std::vector<MakeCase> all_cases() {
  std::vector<MakeCase> all;
  for (auto list : {products(), more_products(), convolutions(), lines(), more_lines(), movement(), more_movement(), sequences(), strings(),
                    bodies(), learners()}) {
    std::ranges::move(list, std::back_inserter(all));
  }
  return all;
}

}  // namespace cancel_bench
