#include "optimize/quantized_cases.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;
using testing::ElementsAre;

// 'x_q' of those sizes, dequantised to 'x'; the result 'y' is quantised to the graph output 'y_q'.
ModelBuilder region(std::vector<model::Dimension> dims, DType dtype = DType::kUInt8, int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.input("x_q", std::move(dims), dtype).output("y_q", dtype);
  quantization(builder, "x", 0.02f, dtype == DType::kInt8 ? 3 : 120, dtype);
  quantization(builder, "y", 0.05f, dtype == DType::kInt8 ? -7 : 131, dtype);
  dequantize(builder, "x");
  return builder;
}

// A quantised constant 'w', with one scale, or one for each entry of `axis`.
void weight(ModelBuilder& builder, const Shape& shape, int axis = -1) {
  builder.constant("w_q", random_bytes(shape, DType::kInt8, 5));
  std::vector<Attribute> attributes;
  if (axis < 0) {
    quantization(builder, "w", 0.01f, 0, DType::kInt8);
  } else {
    const int64_t count = shape[static_cast<size_t>(axis)];
    Tensor scales = random_tensor({count}, 6);
    for (float& s : scales.mutable_values<float>()) s = 0.006f + 0.004f * s;
    builder.constant("w_s", scales).constant("w_z", Tensor::zeros({count}, DType::kInt8));
    attributes.push_back(Attribute::of("axis", axis));
  }
  dequantize(builder, "w", attributes);
}

TEST(FuseQuantized, ConvWithAndWithoutBias) {
  const Feeds feeds = {{"x_q", random_bytes({1, 3, 6, 6}, DType::kUInt8, 2)}};
  for (const int axis : {-1, 0}) {
    auto plain = region({1, 3, 6, 6});
    weight(plain, {4, 3, 3, 3}, axis);
    quantize(plain.node("Conv", {"x", "w"}, {"y"}, {Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1})}), "y");
    EXPECT_THAT(operators(within_steps(plain.build(), feeds, 1)), ElementsAre("QLinearConv"));
    auto biased = region({1, 3, 6, 6});
    weight(biased, {4, 3, 3, 3}, axis);
    biased.constant("b", random_tensor({4}, 8));
    quantize(biased.node("Conv", {"x", "w", "b"}, {"y"}), "y");
    EXPECT_THAT(operators(within_steps(biased.build(), feeds, 1)), ElementsAre("QLinearConv"));
    auto integer = region({1, 3, 6, 6});
    weight(integer, {4, 3, 3, 3}, axis);
    integer.constant("b_q", Tensor::of<int32_t>({4}, {100, -2000, 5, 70})).constant("b_s", Tensor::scalar(0.0002f));
    integer.node("DequantizeLinear", {"b_q", "b_s"}, {"b"});
    quantize(integer.node("Conv", {"x", "w", "b"}, {"y"}), "y");
    EXPECT_THAT(operators(within_steps(integer.build(), feeds, 1)), ElementsAre("QLinearConv"));
  }
}

TEST(FuseQuantized, MatMulAndGemm) {
  const Feeds feeds = {{"x_q", random_bytes({5, 8}, DType::kUInt8, 2)}};
  for (const int axis : {-1, 1}) {
    auto matmul = region({5, 8});
    weight(matmul, {8, 6}, axis);
    quantize(matmul.node("MatMul", {"x", "w"}, {"y"}), "y");
    EXPECT_THAT(operators(within_steps(matmul.build(), feeds, 1)), ElementsAre("QLinearMatMul"));
    auto gemm = region({5, 8});
    weight(gemm, {8, 6}, axis);
    gemm.constant("b", random_tensor({6}, 8));
    quantize(gemm.node("Gemm", {"x", "w", "b"}, {"y"}, {Attribute::of("alpha", 0.5f)}), "y");
    EXPECT_THAT(operators(within_steps(gemm.build(), feeds, 1)), ElementsAre("QGemm"));
  }
  auto transposed = region({5, 8});
  weight(transposed, {6, 8}, 0);
  quantize(transposed.node("Gemm", {"x", "w"}, {"y"}, {Attribute::of("transB", 1)}), "y");
  EXPECT_THAT(operators(within_steps(transposed.build(), feeds, 1)), ElementsAre("QGemm"));
}

TEST(FuseQuantized, FunctionsAndPools) {
  for (const DType dtype : {DType::kUInt8, DType::kInt8}) {
    const Feeds feeds = {{"x_q", random_bytes({1, 3, 6, 6}, dtype, 2)}};
    const std::vector<Attribute> kernel = {Attribute::of("kernel_shape", std::vector<int64_t>{2, 2})};
    const std::vector<std::pair<std::string, std::vector<Attribute>>> rows = {{"Sigmoid", {}},
                                                                              {"LeakyRelu", {Attribute::of("alpha", 0.3f)}},
                                                                              {"GlobalAveragePool", {}},
                                                                              {"AveragePool", kernel},
                                                                              {"Softmax", {}}};
    for (const auto& [op_type, attributes] : rows) {
      auto builder = region({1, 3, 6, 6}, dtype);
      quantize(builder.node(op_type, {"x"}, {"y"}, attributes), "y");
      EXPECT_THAT(operators(within_steps(builder.build(), feeds, 1)), ElementsAre("QLinear" + op_type));
    }
    for (const char* op_type : {"Add", "Mul"}) {
      auto twice = region({1, 3, 6, 6}, dtype);
      quantize(twice.node(op_type, {"x", "x"}, {"y"}), "y");
      EXPECT_THAT(operators(within_steps(twice.build(), feeds, 1)), ElementsAre("QLinear" + std::string(op_type)));
    }
    auto concat = region({1, 3, 6, 6}, dtype);
    concat.node("Concat", {"x", "x"}, {"y"}, {Attribute::of("axis", 1)});
    quantize(concat, "y");
    EXPECT_THAT(operators(within_steps(concat.build(), feeds, 1)), ElementsAre("QLinearConcat"));
  }
}

TEST(FuseQuantized, RegionsThatStay) {
  const Feeds feeds = {{"x_q", random_bytes({5, 8}, DType::kUInt8, 2)}};
  auto read = region({5, 8}).output("y");  // the result is wanted as floats, too
  quantize(read.node("Sigmoid", {"x"}, {"y"}), "y");
  EXPECT_THAT(operators(within_steps(read.build(), feeds, 0)), ElementsAre("DequantizeLinear", "Sigmoid", "QuantizeLinear"));
  auto other = region({5, 8});  // no kernel of bytes
  quantize(other.node("Erf", {"x"}, {"y"}), "y");
  EXPECT_THAT(operators(within_steps(other.build(), feeds, 0)), ElementsAre("DequantizeLinear", "Erf", "QuantizeLinear"));
  ModelBuilder fed;  // the scale may be fed
  fed.input("x_q", {5, 8}, DType::kUInt8).input("x_s", {}).output("y_q", DType::kUInt8);
  fed.constant("x_z", Tensor::zeros({}, DType::kUInt8));
  quantization(fed, "y", 0.05f, 3);
  dequantize(fed, "x");
  quantize(fed.node("Sigmoid", {"x"}, {"y"}), "y");
  EXPECT_THAT(operators(within_steps(fed.build(), {feeds[0], {"x_s", Tensor::scalar(0.1f)}}, 0)),
              ElementsAre("DequantizeLinear", "Sigmoid", "QuantizeLinear"));
}

TEST(FuseQuantized, WeightsOfRegionsThatStayAreFolded) {
  auto builder = region({5, 8});
  weight(builder, {8, 6});
  builder.output("p").node("MatMul", {"x", "w"}, {"p"});
  quantize(builder.node("Erf", {"p"}, {"y"}), "y");
  const Feeds feeds = {{"x_q", random_bytes({5, 8}, DType::kUInt8, 2)}};
  EXPECT_THAT(operators(within_steps(builder.build(), feeds, 0)), ElementsAre("DequantizeLinear", "MatMul", "Erf", "QuantizeLinear"));
}

TEST(RemoveClippedActivation, WhereQuantisationClipsAsMuch) {
  const auto build = [](const char* op_type, int zero, float upper) {
    ModelBuilder builder;
    builder.input("x", {64}).output("y_q", DType::kUInt8).constant("low", Tensor::scalar(0.0f)).constant("high", Tensor::scalar(upper));
    quantization(builder, "y", 0.01f, zero);
    std::vector<std::string> inputs = {"x"};
    if (op_type[0] == 'C') inputs.insert(inputs.end(), {"low", "high"});
    builder.node(op_type, inputs, {"y"});
    quantize(builder, "y");
    return builder.build();
  };
  Tensor x = random_tensor({64});
  for (float& v : x.mutable_values<float>()) v *= 4;
  x.mutable_values<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  const Feeds feeds = {{"x", x}};
  EXPECT_THAT(operators(within_steps(build("Relu", 0, 0), feeds, 0)), ElementsAre("QuantizeLinear"));
  EXPECT_THAT(operators(within_steps(build("Clip", 0, 2.56f), feeds, 0)), ElementsAre("QuantizeLinear"));
  EXPECT_THAT(operators(within_steps(build("Relu", 1, 0), feeds, 0)), ElementsAre("Relu", "QuantizeLinear"));
  EXPECT_THAT(operators(within_steps(build("Clip", 0, 2.5f), feeds, 0)), ElementsAre("Clip", "QuantizeLinear"));
}

TEST(MoveDequantize, ElementsMoveAsBytesAndComeBackAsThemselves) {
  for (const DType dtype : {DType::kUInt8, DType::kInt8}) {
    ModelBuilder builder;
    builder.input("x_q", {1, 3, 6, 6}, dtype).output("y_q", dtype);
    quantization(builder, "x", 0.02f, 5, dtype);
    quantization(builder, "y", 0.02f, 5, dtype);
    dequantize(builder, "x");
    builder.node("MaxPool", {"x"}, {"m"},
                 {Attribute::of("kernel_shape", std::vector<int64_t>{3, 3}), Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1})});
    builder.node("Transpose", {"m"}, {"t"}, {Attribute::of("perm", std::vector<int64_t>{0, 2, 3, 1})}).node("Flatten", {"t"}, {"y"});
    quantize(builder, "y");
    const Feeds feeds = {{"x_q", random_bytes({1, 3, 6, 6}, dtype, 2)}};
    EXPECT_THAT(operators(within_steps(builder.build(), feeds, 0)), ElementsAre("MaxPool", "Transpose", "Flatten"));
  }
}

TEST(MoveDequantize, OtherScalesAreConvertedBehind) {
  ModelBuilder builder;
  builder.input("x_q", {4, 6}, DType::kUInt8).output("y_q", DType::kUInt8).output("x");
  quantization(builder, "x", 0.02f, 5);
  quantization(builder, "y", 0.03f, 5);
  dequantize(builder, "x");
  quantize(builder.node("Transpose", {"x"}, {"y"}), "y");
  const Feeds feeds = {{"x_q", random_bytes({4, 6}, DType::kUInt8, 2)}};
  EXPECT_THAT(operators(within_steps(builder.build(), feeds, 0)),
              testing::UnorderedElementsAre("DequantizeLinear", "Transpose", "DequantizeLinear", "QuantizeLinear"));
}

}  // namespace
}  // namespace sardonyx::optimize
