// Operators on calls that are right but for a few changes: a result or an Error, never anything else.
#include <algorithm>
#include <array>

#include "ops/op_case.h"
#include "sardonyx/error.h"

namespace sardonyx::ops {
namespace {

struct Call {
  model::Node node;
  int64_t opset;
  std::vector<Tensor> inputs;
};

Call call(const char* op, int64_t opset, std::vector<Tensor> inputs, std::vector<model::Attribute> attributes = {}, int outputs = 1) {
  Call result{.node = {}, .opset = opset, .inputs = std::move(inputs)};
  result.node.op_type = op;
  result.node.attribute = std::move(attributes);
  for (int i = 0; i < outputs; ++i) result.node.output.push_back("y" + std::to_string(i));
  return result;
}

model::Attribute ints(const char* name, std::vector<int64_t> values) { return model::Attribute::of(name, std::move(values)); }
template <class Value>
model::Attribute one(const char* name, Value value) {
  return model::Attribute::of(name, value);
}
Tensor scalar(int64_t value) { return Tensor::scalar(value); }
Tensor bytes(Shape shape) { return Tensor::full(std::move(shape), 3, DType::kUInt8); }
Tensor text(Shape shape) { return Tensor(std::move(shape), DType::kString); }

std::vector<Call> attention_calls() {
  const Tensor q({2, 4, 3, 2}), k({2, 2, 5, 2});
  const Tensor packed({2, 3, 8}), state({2, 2, 4, 4});
  return {call("Attention", 24, {q, k, k, Tensor({3, 5}), Tensor({2, 2, 2, 2}), Tensor({2, 2, 2, 2})}, {one("is_causal", 1)}, 4),
          call("Attention", 24, {packed, packed, packed, Tensor(), Tensor(), Tensor(), int64s({1, 2})},
               {one("q_num_heads", 2), one("kv_num_heads", 2)}),
          call("RotaryEmbedding", 23, {q, Tensor({9, 1}), Tensor({9, 1}), Tensor({2, 3}, DType::kInt64)}, {one("interleaved", 1)}),
          call("LinearAttention", 27, {packed, packed, packed, state, Tensor({2, 3, 2}), Tensor({2, 3, 1})},
               {one("q_num_heads", 2), one("kv_num_heads", 2)}, 2),
          call("CausalConvWithState", 27, {Tensor({2, 3, 4}), Tensor({3, 1, 2}), Tensor({3}), Tensor({2, 3, 1})},
               {one("activation", "silu")}, 2)};
}

Call microsoft(Call call) {
  call.node.domain = "com.microsoft";
  return call;
}

std::vector<Call> microsoft_attention_calls() {
  const Tensor x({2, 3, 8}), past({2, 2, 2, 4}), ends = Tensor::of<int32_t>({2}, {3, 2}), total = Tensor::of<int32_t>({1}, {5}), none;
  const Tensor angles({9, 2}), scale = Tensor::ones({1}), zero = bytes({1});
  const model::Attribute heads = one("num_heads", 2);
  return {microsoft(call("Attention", 1, {x, Tensor({8, 24}), Tensor({24}), ends, Tensor({2, 2, 2, 2, 4})},
                         {heads, one("unidirectional", 1), one("do_rotary", 1), ints("qkv_hidden_sizes", {8, 8, 8})}, 2)),
          microsoft(call(
              "QAttention", 1,
              {bytes({2, 3, 8}), bytes({8, 24}), Tensor({24}), scale, Tensor::ones({24}), Tensor({2, 3}, DType::kInt32), zero, bytes({24})},
              {heads, one("scale", 0.5f)}, 2)),
          microsoft(call("MultiHeadAttention", 1, {x, x, x, Tensor({24}), ends, Tensor({1, 2, 3, 5}), past, past}, {heads}, 4)),
          microsoft(call("GroupQueryAttention", 1,
                         {x, Tensor({2, 3, 4}), Tensor({2, 3, 4}), Tensor({2, 1, 4, 4}), Tensor({2, 1, 4, 4}),
                          Tensor::of<int32_t>({2}, {4, 2}), total, angles, angles},
                         {heads, one("kv_num_heads", 1), one("do_rotary", 1), one("local_window_size", 2), one("smooth_softmax", 1)}, 3)),
          microsoft(call("RotaryEmbedding", 1, {x, int64s({4}), angles, angles}, {heads, one("interleaved", 1)})),
          microsoft(call("MatMulNBits", 1, {Tensor({2, 20}), bytes({3, 2, 8}), Tensor({3, 2}), bytes({3, 1}), Tensor({20}, DType::kInt32)},
                         {one("K", 20), one("N", 3), one("bits", 4), one("block_size", 16)})),
          microsoft(call(
              "DynamicQuantizeLSTM", 1,
              {x, bytes({1, 8, 12}), bytes({1, 3, 12}), none, none, none, none, none, Tensor::ones({1, 12}), bytes({1, 12}), scale, zero},
              {one("hidden_size", 3)}, 3))};
}

std::vector<Call> image_calls() {
  const Tensor x({2, 4, 5, 6}), w({4, 2, 3, 2});
  return {
      call("Resize", 19, {x, Tensor(), floats({4}, {1, 1, 2, 0.5f})}, {one("mode", "linear"), one("antialias", 1)}),
      call("Resize", 18, {x, Tensor(), Tensor(), int64s({3, 9})}, {ints("axes", {2, 3}), one("mode", "cubic")}),
      call("Resize", 13, {text({2, 3}), Tensor(), Tensor(), int64s({4, 2})}),
      call("Upsample", 9, {x, floats({4}, {1, 1, 2, 3})}),
      call("GridSample", 20, {x, Tensor({2, 3, 4, 2})}, {one("mode", "cubic"), one("padding_mode", "reflection")}),
      call("GridSample", 20, {x.to(DType::kInt32), Tensor({2, 3, 4, 2})}, {one("mode", "nearest"), one("align_corners", 1)}),
      call("AffineGrid", 20, {Tensor({2, 2, 3}), int64s({2, 1, 3, 4})}, {one("align_corners", 1)}),
      call("ConvTranspose", 11, {x, w, Tensor({4})},
           {one("group", 2), ints("strides", {2, 3}), ints("output_padding", {1, 1}), ints("pads", {1, 0, 1, 1})}),
      call("ConvTranspose", 11, {x, w}, {ints("output_shape", {9, 20}), ints("dilations", {2, 1})}),
      call("DeformConv", 22, {x, w, Tensor({2, 24, 3, 5}), Tensor({4}), Tensor({2, 12, 3, 5})}, {one("group", 2), one("offset_group", 2)}),
      call("Col2Im", 18, {Tensor({2, 12, 12}), int64s({5, 4}), int64s({2, 2})}, {ints("strides", {1, 1})}),
      call("LpPool", 18, {x}, {ints("kernel_shape", {2, 3}), ints("strides", {2, 1}), one("p", 3)}),
      call("GlobalLpPool", 2, {x}, {one("p", 1)}),
      call("MaxUnpool", 11, {x, Tensor({2, 4, 5, 6}, DType::kInt64), int64s({2, 4, 12, 13})},
           {ints("kernel_shape", {2, 2}), ints("strides", {2, 2})}),
      call("MaxRoiPool", 1, {x, Tensor({3, 5})}, {ints("pooled_shape", {2, 3})}),
      call("RoiAlign", 16, {x, floats({1, 4}, {0, 0, 3, 3}), int64s({1})}, {one("output_height", 2), one("sampling_ratio", 2)}),
      call("NonMaxSuppression", 11, {Tensor({2, 3, 4}), Tensor({2, 2, 3}), int64s({2}), floats({1}, {0.5f})},
           {one("center_point_box", 1)})};
}

std::vector<Call> microsoft_quantized_calls() {
  const Tensor s = Tensor::scalar(0.5f), z = bytes({}), x = bytes({2, 4, 5}), w = bytes({6, 2, 3}), matrix = bytes({4, 5});
  std::vector<Call> calls = {
      call("QLinearAdd", 1, {x, s, z, bytes({4, 1}), s, z, s, z}),
      call("QLinearMul", 1, {x, s, z, x, s, z, s, z}),
      call("QLinearSigmoid", 1, {x, s, z, s, z}),
      call("QLinearLeakyRelu", 1, {x, s, z, s, z}, {one("alpha", 0.5f)}),
      call("QLinearConcat", 1, {s, z, x, s, z, bytes({2, 1, 5}), s, z}, {one("axis", 1)}),
      call("QLinearWhere", 1, {Tensor({4, 1}, DType::kBool), x, s, z, bytes({5}), s, z, s, z}),
      call("QLinearAveragePool", 1, {x, s, z, s, z}, {ints("kernel_shape", {2}), one("channels_last", 1), one("ceil_mode", 1)}),
      call("QLinearGlobalAveragePool", 1, {x, s, z, s, z}, {one("channels_last", 1)}),
      call("NhwcMaxPool", 1, {x}, {ints("kernel_shape", {2}), ints("pads", {1, 0}), ints("strides", {2})}),
      call("QLinearSoftmax", 1, {x, s, z, s, z}, {one("opset", 12), one("axis", 1)}),
      call("QLinearConv", 1, {bytes({2, 5, 4}), s, z, w, s, z, s, z, Tensor({6}, DType::kInt32)},
           {one("group", 2), ints("pads", {1, 0}), one("channels_last", 1)}),
      call("QGemm", 1, {matrix, s, z, matrix, s, z, Tensor({5}, DType::kInt32), s, z}, {one("transA", 1), one("alpha", 2.0f)}),
      call("MatMulIntegerToFloat", 1, {x, bytes({5, 3}), s, Tensor({3}), z, bytes({3}), Tensor({3})}),
      call("DynamicQuantizeMatMul", 1, {Tensor({2, 4, 5}), bytes({5, 3}), Tensor({3}), bytes({3}), Tensor({3})}),
      call("MatMulInteger16", 1, {Tensor({4, 5}, DType::kInt16), Tensor({5, 2}, DType::kInt16)}),
      call("QuantizeLinear", 1, {Tensor({2, 4}), Tensor({4}), bytes({4})}, {one("axis", 1)}),
      call("DequantizeLinear", 1, {bytes({2, 4}), Tensor({2}), bytes({2})}, {one("axis", -2)})};
  for (Call& each : calls) each.node.domain = "com.microsoft";
  return calls;
}

std::vector<Call> quantized_calls() {
  const Tensor s = Tensor::scalar(0.5f), z = bytes({}), x = bytes({2, 4, 5}), w = bytes({6, 2, 3});
  std::vector<Call> calls = {
      call("QuantizeLinear", 25, {Tensor({2, 4, 5}), Tensor::ones({2, 2, 5}), bytes({2, 2, 5})}, {one("axis", 1), one("block_size", 2)}),
      call("QuantizeLinear", 25, {Tensor({2, 4, 5}), s}, {one("output_dtype", 22), one("precision", 10)}),
      call("DequantizeLinear", 25, {x, Tensor::ones({4}), bytes({4})}, {one("axis", 1)}),
      call("DynamicQuantizeLinear", 11, {Tensor({2, 3})}, {}, 3),
      call("MatMulInteger", 10, {bytes({2, 3, 4}), bytes({4, 5}), bytes({3}), bytes({5})}),
      call("QLinearMatMul", 21, {bytes({2, 3, 4}), s, z, bytes({4, 5}), Tensor::ones({5}), bytes({5}), s, z}),
      call("ConvInteger", 10, {x, w, z, bytes({6})}, {one("group", 2), ints("pads", {1, 1})}),
      call("QLinearConv", 10, {x, s, z, w, Tensor::ones({6}), bytes({6}), s, z, Tensor({6}, DType::kInt32)}, {one("group", 2)})};
  std::ranges::copy(microsoft_quantized_calls(), std::back_inserter(calls));
  return calls;
}

std::vector<Call> sequence_calls() {
  const Tensor x({3, 2, 4}), lengths = Tensor::of<int32_t>({2}, {3, 1}), state({2, 2, 5});
  return {
      call("LSTM", 14, {x, Tensor({2, 20, 4}), Tensor({2, 20, 5}), Tensor({2, 40}), lengths, state, state, Tensor({2, 15})},
           {one("direction", "bidirectional"), one("clip", 1.0f)}, 3),
      call("GRU", 14, {x, Tensor({1, 15, 4}), Tensor({1, 15, 5}), Tensor({1, 30})}, {one("linear_before_reset", 1), one("layout", 1)}, 2),
      call("RNN", 14, {x, Tensor({1, 5, 4}), Tensor({1, 5, 5}), Tensor(), lengths}, {one("direction", "reverse")}, 2),
      call("DFT", 20, {Tensor({2, 6, 2}), scalar(5), scalar(1)}, {one("inverse", 1)}),
      call("DFT", 17, {Tensor({2, 6, 1})}, {one("onesided", 1), one("axis", 1)}),
      call("STFT", 17, {Tensor({2, 9, 1}), scalar(2), Tensor({4}), scalar(4)}),
      call("MelWeightMatrix", 17, {scalar(3), scalar(16), scalar(100), Tensor::scalar(1.0f), Tensor::scalar(40.0f)}),
      call("StringConcat", 20, {text({2, 1}), text({3})}),
      call("StringNormalizer", 10, {text({1, 3})}, {one("case_change_action", "LOWER")}),
      call("StringSplit", 20, {text({2, 2})}, {one("delimiter", ","), one("maxsplit", 2)}, 2),
      call("TfIdfVectorizer", 9, {int64s({1, 2, 3})},
           {one("mode", "TF"), one("min_gram_length", 1), one("max_gram_length", 2), one("max_skip_count", 1),
            ints("pool_int64s", {1, 2, 3}), ints("ngram_counts", {0, 1}), ints("ngram_indexes", {1, 0})})};
}

std::vector<Call> microsoft_calls() {
  const Tensor x({2, 3, 4}), row({4}), image({2, 4, 5, 6}), w({4, 4, 3, 2});
  const Tensor ids = Tensor::of<int32_t>({2, 3}, {0, 1, 2, 2, 1, 0}), table({3, 4}), square = floats({1, 2, 2}, {1, 2, 3, 5});
  std::vector<Call> calls = {
      call("Gelu", 1, {x}),
      call("QuickGelu", 1, {x}, {one("alpha", 1.5f)}),
      call("FastGelu", 1, {x, row}),
      call("BiasGelu", 1, {x, row}),
      call("FusedConv", 1, {image, w, row, Tensor({2, 4, 3, 5})}, {one("activation", "Tanh"), ints("strides", {1, 1})}),
      call("FusedConv", 1, {image, w},
           {one("activation", "HardSigmoid"), model::Attribute::of("activation_params", std::vector<float>{1, 2}),
            ints("pads", {1, 0, 1, 0})}),
      call("FusedGemm", 1, {table, table, Tensor({3})}, {one("transB", 1), one("activation", "Selu"), one("activation_gamma", 2.0f)}),
      call("FusedMatMul", 1, {x, x}, {one("transBatchA", 1), one("transBatchB", 1), one("transB", 1), one("alpha", 0.5f)}),
      call("FusedMatMul", 1, {x, table}, {one("transA", 0), one("transB", 1)}),
      call("SkipLayerNormalization", 1, {x, table, row, row, row}, {one("epsilon", 0.5f)}, 4),
      call("SkipSimplifiedLayerNormalization", 1, {x, x, row, row}, {}, 4),
      call("EmbedLayerNormalization", 1, {ids, ids, table, table, table, row, row, ids, ids}, {one("epsilon", 0.5f)}, 3),
      call("Inverse", 1, {square}),
      call("CropAndResize", 1, {image, Tensor({2, 4}), Tensor::of<int32_t>({2}, {0, 1}), Tensor::of<int32_t>({2}, {3, 2})},
           {one("mode", "nearest"), one("extrapolation_value", 2.0f)}),
      call("GridSample", 1, {image, Tensor({2, 3, 4, 2})}, {one("mode", "bicubic")}),
      call("Pad", 1, {x, int64s({0, 1, 0, 0, 0, 2}), Tensor({1})}),
      call("Range", 1, {scalar(1), scalar(9), scalar(2)}),
      call("Trilu", 1, {x, scalar(1)}, {one("upper", 0)})};
  for (Call& made : calls) made.node.domain = "com.microsoft";
  calls.push_back(call("LayerNormalization", 9, {x, row, row}, {one("axis", 2)}, 3));
  calls.push_back(call("SimplifiedLayerNormalization", 9, {x, row}, {one("axis", -1)}, 2));
  return calls;
}

Call ml_call(const char* op, std::vector<Tensor> inputs, std::vector<model::Attribute> attributes, int outputs = 1) {
  Call result = call(op, 3, std::move(inputs), std::move(attributes), outputs);
  result.node.domain = "ai.onnx.ml";
  return result;
}

model::Attribute reals(const char* name, std::vector<float> values) { return model::Attribute::of(name, std::move(values)); }

// Two trees of one branch each; `prefix` and `targets` are what the operator calls its votes.
std::vector<model::Attribute> tree_attributes(const std::string& prefix, const char* targets) {
  return {ints("nodes_treeids", {0, 0, 0, 1, 1, 1}),
          ints("nodes_nodeids", {0, 1, 2, 0, 1, 2}),
          ints("nodes_featureids", {0, 0, 0, 1, 0, 0}),
          model::Attribute::of("nodes_modes", std::vector<std::string>{"BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_GT", "LEAF", "LEAF"}),
          reals("nodes_values", {0, 0, 0, 1, 0, 0}),
          ints("nodes_truenodeids", {1, 0, 0, 1, 0, 0}),
          ints("nodes_falsenodeids", {2, 0, 0, 2, 0, 0}),
          ints((prefix + "_treeids").c_str(), {0, 0, 1, 1}),
          ints((prefix + "_nodeids").c_str(), {1, 2, 1, 2}),
          ints(targets, {0, 1, 0, 1}),
          reals((prefix + "_weights").c_str(), {1, 2, 3, 4}),
          reals("base_values", {0, 1})};
}

std::vector<Call> classical_calls() {
  const Tensor x({3, 2}), wide = x.to(DType::kFloat64);
  std::vector<model::Attribute> regressor = tree_attributes("target", "target_ids"), classifier = tree_attributes("class", "class_ids");
  regressor.push_back(one("n_targets", 2));
  classifier.push_back(ints("classlabels_int64s", {3, 5}));
  const Tensor map = Tensor::of_tensors({int64s({2, 1}), floats({2}, {1, 2})});
  return {ml_call("TreeEnsembleRegressor", {x}, regressor),
          ml_call("TreeEnsembleClassifier", {wide}, classifier, 2),
          ml_call("SVMClassifier", {x},
                  {reals("support_vectors", {1, 2, 3, 4}), ints("vectors_per_class", {1, 1}), reals("coefficients", {1, -1}),
                   reals("rho", {0.5f}), reals("prob_a", {1}), reals("prob_b", {1}), ints("classlabels_ints", {1, 2}),
                   one("kernel_type", "RBF"), reals("kernel_params", {1, 0, 0})},
                  2),
          ml_call("SVMRegressor", {x},
                  {reals("support_vectors", {1, 2, 3, 4}), one("n_supports", 2), reals("coefficients", {1, 2}), reals("rho", {1}),
                   one("kernel_type", "POLY"), reals("kernel_params", {1, 0, 2})}),
          ml_call("LinearClassifier", {wide},
                  {reals("coefficients", {1, 2, 3, 4}), reals("intercepts", {1, 2}), ints("classlabels_ints", {1, 2})}, 2),
          ml_call("LinearRegressor", {x}, {reals("coefficients", {1, 2, 3, 4}), one("targets", 2)}),
          ml_call("LabelEncoder", {int64s({1, 2})}, {ints("keys_int64s", {1, 2}), reals("values_floats", {1, 2})}),
          ml_call("OneHotEncoder", {x}, {ints("cats_int64s", {1, 2})}),
          ml_call("Imputer", {x}, {reals("imputed_value_floats", {1, 2})}),
          ml_call("Scaler", {x}, {reals("offset", {1, 2}), reals("scale", {1})}),
          ml_call("Normalizer", {wide}, {one("norm", "L2")}),
          ml_call("Binarizer", {x}, {one("threshold", 1.0f)}),
          ml_call("FeatureVectorizer", {x, x}, {ints("inputdimensions", {2, 3})}),
          ml_call("ArrayFeatureExtractor", {x, int64s({1, 0})}, {}),
          ml_call("ZipMap", {x}, {ints("classlabels_int64s", {1, 2})}),
          ml_call("DictVectorizer", {map}, {ints("int64_vocabulary", {1, 2})}),
          ml_call("CastMap", {map}, {one("map_form", "SPARSE"), one("max_map", 4)})};
}

class Changes {
 public:
  explicit Changes(unsigned seed) : generator_(seed) {}

  void apply(Call& call) {
    for (int i = number(0, 2); i >= 0; --i) {
      if (number(0, 2) == 0 && !call.node.attribute.empty()) {
        change(call.node.attribute[static_cast<size_t>(number(0, static_cast<int>(call.node.attribute.size()) - 1))]);
      } else {
        change(call.inputs[static_cast<size_t>(number(0, static_cast<int>(call.inputs.size()) - 1))]);
      }
    }
  }

 private:
  int number(int least, int most) { return std::uniform_int_distribution<int>(least, most)(generator_); }
  int64_t integer() {
    constexpr std::array<int64_t, 7> kExtremes = {std::numeric_limits<int64_t>::min(),
                                                  std::numeric_limits<int64_t>::max(),
                                                  int64_t{1} << 38,
                                                  int64_t{1} << 40,
                                                  -1,
                                                  0,
                                                  int64_t{1} << 62};
    return number(0, 2) == 0 ? kExtremes[static_cast<size_t>(number(0, 6))] : number(-3, 6);
  }

  void change(model::Attribute& attribute) {
    using Type = model::Attribute::Type;
    if (attribute.type == Type::kInt) attribute.i = integer();
    if (attribute.type == Type::kFloat)
      attribute.f = number(0, 3) == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(integer());
    if (attribute.type == Type::kFloats) {
      if (number(0, 1) == 0) attribute.floats.push_back(static_cast<float>(integer()));
      if (number(0, 1) == 0 && !attribute.floats.empty()) attribute.floats.pop_back();
    }
    if (attribute.type != Type::kInts) return;
    if (number(0, 3) == 0) attribute.ints.push_back(integer());
    if (number(0, 3) == 0 && !attribute.ints.empty()) attribute.ints.pop_back();
    if (!attribute.ints.empty()) attribute.ints[static_cast<size_t>(number(0, static_cast<int>(attribute.ints.size()) - 1))] = integer();
  }

  void change(Tensor& tensor) {
    if (!tensor.defined() || number(0, 9) == 0) {
      tensor = Tensor();
      return;
    }
    Shape shape = tensor.shape();
    DType dtype = tensor.dtype();
    if (dtype == DType::kTensor) {
      std::vector<Tensor> items(tensor.tensors().begin(), tensor.tensors().end());
      for (Tensor& item : items) change(item);
      tensor = Tensor::of_tensors(std::move(items));
      return;
    }
    if (std::ranges::any_of(shape, [](int64_t size) { return size > 1000; })) return;  // holds nothing, and must go on so
    switch (number(0, 4)) {
      case 0:
        if (!shape.empty()) shape[static_cast<size_t>(number(0, static_cast<int>(shape.size()) - 1))] = number(0, 7);
        break;
      case 1:
        shape.push_back(number(0, 3));
        break;
      case 2:
        if (!shape.empty()) shape.pop_back();
        break;
      case 3:
        dtype = static_cast<DType>(number(1, kDTypeCount - 1));
        break;
      default:
        break;
    }
    if (number(0, 19) == 0) shape = {0, int64_t{1} << 40, int64_t{1} << 20};
    tensor = filled(std::move(shape), dtype);
  }

  Tensor filled(Shape shape, DType dtype) {
    Tensor result = Tensor::zeros(std::move(shape), dtype);
    if (dtype == DType::kInt64) {
      for (int64_t& value : result.mutable_values<int64_t>()) value = integer();
    } else if (dtype == DType::kInt32) {
      for (int32_t& value : result.mutable_values<int32_t>()) value = static_cast<int32_t>(integer());
    } else if (dtype == DType::kFloat32) {
      constexpr std::array<float, 4> kOdd = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f,
                                             -1e-30f};
      for (float& value : result.mutable_values<float>()) {
        value = number(0, 9) == 0 ? kOdd[static_cast<size_t>(number(0, 3))] : static_cast<float>(number(-40, 40)) / 8;
      }
    }
    return result;
  }

  std::mt19937 generator_;
};

TEST(Robustness, NearlyRightCalls) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Changes changes(seed);
  int results = 0, errors = 0;
  for (const auto& make :
       {attention_calls, image_calls, microsoft_attention_calls, microsoft_calls, quantized_calls, sequence_calls, classical_calls}) {
    for (const Call& right : make()) {
      for (int round = 0; round < 150; ++round) {
        Call changed = right;
        if (round > 0) changes.apply(changed);
        for (size_t i = 0; i < changed.inputs.size(); ++i)
          changed.node.input.push_back(changed.inputs[i].defined() ? "x" + std::to_string(i) : "");
        try {
          evaluate(changed.node, changed.opset, changed.inputs);
          ++results;
        } catch (const Error& error) {
          EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
          EXPECT_NE(round, 0) << error.what();
          ++errors;
        }
      }
    }
  }
  EXPECT_GT(results, 500);
  EXPECT_GT(errors, 500);
}

}  // namespace
}  // namespace sardonyx::ops
