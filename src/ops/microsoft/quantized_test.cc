// The quantised operators of com.microsoft against integers and doubles.
#include <gmock/gmock.h>

#include <algorithm>

#include "ops/facts.h"
#include "ops/movement/strided.h"
#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Tensor kNone;

OpCase microsoft(std::string op) { return OpCase(std::move(op), 1, "com.microsoft"); }
Tensor scale(float value) { return Tensor::scalar(value); }
Tensor zero(DType dtype, double value) { return Tensor::full({}, value, dtype); }

Tensor random_bytes(std::mt19937& generator, Shape shape, DType dtype) {
  const int least = dtype == DType::kInt8 ? -128 : 0;
  std::uniform_int_distribution<int> distribution(least, least + 255);
  Tensor wide = Tensor::empty(std::move(shape), DType::kInt32);
  for (int32_t& value : wide.mutable_values<int32_t>()) value = distribution(generator);
  return wide.to(dtype);
}

double saturated(double value, DType dtype) {
  const double least = dtype == DType::kInt8 ? -128 : 0;
  return std::clamp(value, least, least + 255);
}
// The rounding that QuantizeLinear has, and that of the operators that add the zero point first.
double rounded(double value, double zero_point, DType dtype) { return saturated(std::nearbyint(value) + zero_point, dtype); }
double rounded_after(double value, double zero_point, DType dtype) { return saturated(std::nearbyint(value + zero_point), dtype); }

// Scales are powers of two here: all quotients are exact, and ties are many.
TEST(QLinearBinary, AddsAndMultipliesWithBroadcasting) {
  std::mt19937 generator(3);
  const std::pair<Shape, Shape> shapes[] = {{{3, 70}, {3, 70}}, {{3, 1, 50}, {4, 1}}, {{}, {33}}, {{2, 0}, {2, 1}}, {{2, 3, 4}, {3, 1}}};
  for (const DType dtype : {DType::kUInt8, DType::kInt8}) {
    for (const auto& [a_shape, b_shape] : shapes) {
      const Tensor a = random_bytes(generator, a_shape, dtype), b = random_bytes(generator, b_shape, dtype);
      const Shape out = broadcast(a_shape, b_shape);
      const StridedView a_view = broadcast_view(a_shape, out), b_view = broadcast_view(b_shape, out);
      const std::vector<double> left = doubles(a), right = doubles(b);
      std::vector<double> sums, products;
      for (size_t i = 0; i < static_cast<size_t>(element_count(out)); ++i) {
        const double x = left[static_cast<size_t>(a_view.offset(i))] - 7, y = right[static_cast<size_t>(b_view.offset(i))] - 3;
        sums.push_back(rounded_after((x * 0.5 + y * 0.25) / 2, 5, dtype));
        products.push_back(rounded_after(x * 0.5 * y * 0.25 / 8, 5, dtype));
      }
      const std::vector<Tensor> inputs = {a, scale(0.5f), zero(dtype, 7), b, scale(0.25f), zero(dtype, 3), scale(2.0f), zero(dtype, 5)};
      std::vector<Tensor> of_product = inputs;
      of_product[6] = scale(8.0f);
      expect_close(microsoft("QLinearAdd").run(inputs), out, sums, 0);
      expect_close(microsoft("QLinearMul").run(of_product), out, products, 0);
    }
  }
}

TEST(QLinearBinary, RefusesWhatDoesNotFit) {
  const Tensor a({2}, DType::kUInt8), b({3}, DType::kUInt8), z = zero(DType::kUInt8, 0), s = scale(1);
  EXPECT_EQ(microsoft("QLinearAdd").error({a, s, z, b, s, z, s, z}).first, ErrorCode::kInvalidArgument);
  EXPECT_THAT(microsoft("QLinearAdd").error({a, Tensor({2}), z, a, s, z, s, z}).second, HasSubstr("A_scale has shape [2]"));
  EXPECT_THAT(microsoft("QLinearMul").error({a, s, z, a, s, z, s, zero(DType::kInt8, 0)}).second, HasSubstr("C_zero_point has type"));
  EXPECT_EQ(microsoft("QLinearMul").error({a.to(DType::kInt8), s, z, a, s, z, s, z}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(microsoft("QLinearMul").run({a, s, kNone, a, s, kNone, s}).shape(), Shape{2});
}

// Every byte.
TEST(QLinearUnary, SigmoidAndLeakyRelu) {
  for (const DType dtype : {DType::kUInt8, DType::kInt8}) {
    const double least = dtype == DType::kInt8 ? -128 : 0;
    Tensor all = Tensor::empty({256}, DType::kInt32);
    std::vector<double> sigmoid, relu;
    for (int i = 0; i < 256; ++i) {
      all.mutable_values<int32_t>()[static_cast<size_t>(i)] = i + static_cast<int>(least);
      const double x = 0.0625 * (i + least - 9);
      sigmoid.push_back(rounded(256 / (1 + std::exp(-x)), least, dtype));
      relu.push_back(rounded((x >= 0 ? x : 0.25 * x) / 0.125, 4, dtype));
    }
    const Tensor x = all.to(dtype), x_zero = zero(dtype, 9);
    expect_close(microsoft("QLinearSigmoid").run({x, scale(0.0625f), x_zero, scale(1.0f / 256), zero(dtype, least)}), {256}, sigmoid, 0);
    expect_close(microsoft("QLinearLeakyRelu").attribute("alpha", 0.25f).run({x, scale(0.0625f), x_zero, scale(0.125f), zero(dtype, 4)}),
                 {256}, relu, 0);
  }
}

TEST(QLinearConcat, BringsAllToOneScale) {
  const DType dtype = DType::kInt8;
  const Tensor a = Tensor::of<int8_t>({2, 1}, {1, -3}), b = Tensor::of<int8_t>({2, 2}, {10, 20, -128, 127});
  const Tensor y = microsoft("QLinearConcat")
                       .attribute("axis", -1)
                       .run({scale(0.5f), zero(dtype, 1), a, scale(0.5f), zero(dtype, 1), b, scale(1.0f), zero(dtype, 0)});
  expect_close(y, {2, 3}, {1, 21, 41, -3, -128, 127}, 0);
  EXPECT_EQ(microsoft("QLinearConcat").error({scale(1), zero(dtype, 0), a, scale(1), zero(dtype, 0)}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(microsoft("QLinearConcat").attribute("axis", 0).error({scale(1), zero(dtype, 0), a, scale(1), zero(dtype, 0), b}).first,
            ErrorCode::kInvalidArgument);
}

TEST(QLinearWhere, ChoosesAndRescales) {
  const DType dtype = DType::kUInt8;
  const Tensor condition = Tensor::of<bool>({2, 1}, {true, false});
  const Tensor x = Tensor::of<uint8_t>({3}, {10, 20, 30}), y = Tensor::of<uint8_t>({}, {9});
  const Tensor z = microsoft("QLinearWhere")
                       .run({condition, x, scale(1.0f), zero(dtype, 10), y, scale(0.5f), zero(dtype, 1), scale(2.0f), zero(dtype, 100)});
  expect_close(z, {2, 3}, {100, 105, 110, 102, 102, 102}, 0);
}

struct PoolCase {
  Shape x;  // channels first
  std::vector<int64_t> kernel, strides, pads;
  int64_t ceil_mode, include_pad;
};

// Channels last as (batch, size, channels).
Tensor turned(const Tensor& x, bool to_last) {
  std::vector<int64_t> order(x.shape().size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  if (to_last) {
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  } else {
    std::rotate(order.begin() + 1, order.end() - 1, order.end());
  }
  return OpCase("Transpose").ints("perm", order).run({x});
}

template <class Pool>
void with_pool_cases(const Pool& body) {
  std::mt19937 generator(8);
  const PoolCase cases[] = {{{2, 5, 9}, {3}, {2}, {1, 1}, 0, 0},
                            {{1, 300, 7, 6}, {2, 3}, {1, 2}, {1, 0, 0, 2}, 0, 1},
                            {{2, 3, 4, 5, 3}, {2, 2, 2}, {2, 2, 1}, {}, 1, 0}};
  for (const PoolCase& c : cases) {
    for (const DType dtype : {DType::kUInt8, DType::kInt8}) body(c, random_bytes(generator, c.x, dtype));
  }
}

OpCase pool_node(OpCase node, const PoolCase& c) {
  node.ints("kernel_shape", c.kernel).ints("strides", c.strides).attribute("ceil_mode", c.ceil_mode);
  if (!c.pads.empty()) node.ints("pads", c.pads);
  return node;
}

// The mean of differences is that of the values, less the zero point; where padding counts, it counts as the zero point.
TEST(QLinearAveragePool, BothLayouts) {
  with_pool_cases([](const PoolCase& c, const Tensor& x) {
    const DType dtype = x.dtype();
    const Tensor centered = OpCase("Sub").run({x.to(DType::kFloat32), Tensor::scalar(11.0f)});
    const Tensor mean = pool_node(OpCase("AveragePool").attribute("count_include_pad", c.include_pad), c).run({centered});
    std::vector<double> expected = doubles(mean);
    for (double& value : expected) value = rounded_after(value * 0.5, 6, dtype);
    const auto inputs = [&](const Tensor& image) {
      return std::vector<Tensor>{image, scale(0.25f), zero(dtype, 11), scale(0.5f), zero(dtype, 6)};
    };
    const auto node = [&](int64_t last) {
      return pool_node(microsoft("QLinearAveragePool").attribute("count_include_pad", c.include_pad).attribute("channels_last", last), c);
    };
    expect_close(node(0).run(inputs(x)), mean.shape(), expected, 0);
    expect_close(turned(node(1).run(inputs(turned(x, true))), false), mean.shape(), expected, 0);
  });
}

TEST(NhwcMaxPool, IsMaxPoolOfTheTurnedImage) {
  with_pool_cases([](const PoolCase& c, const Tensor& x) {
    const Tensor expected = pool_node(OpCase("MaxPool"), c).run({x});
    const Tensor y = pool_node(microsoft("NhwcMaxPool"), c).run({turned(x, true)});
    expect_close(turned(y, false), expected.shape(), doubles(expected), 0);
  });
}

TEST(QLinearGlobalAveragePool, BothLayouts) {
  std::mt19937 generator(4);
  for (const DType dtype : {DType::kUInt8, DType::kInt8}) {
    const Tensor x = random_bytes(generator, {2, 270, 4, 8}, dtype);
    const std::vector<double> values = doubles(x);
    std::vector<double> expected(540);
    for (size_t i = 0; i < values.size(); ++i) expected[i / 32] += values[i] - 5;
    for (double& value : expected) value = rounded(value / 32 * 0.5 / 0.25, 3, dtype);
    const auto run = [&](const Tensor& image, int64_t last) {
      return microsoft("QLinearGlobalAveragePool")
          .attribute("channels_last", last)
          .run({image, scale(0.5f), zero(dtype, 5), scale(0.25f), zero(dtype, 3)});
    };
    expect_close(run(x, 0), {2, 270, 1, 1}, expected, 0);
    expect_close(run(turned(x, true), 1), {2, 1, 1, 270}, expected, 0);
  }
  EXPECT_EQ(microsoft("QLinearGlobalAveragePool")
                .error({Tensor({1, 2, 0}, DType::kUInt8), scale(1), zero(DType::kUInt8, 0), scale(1), zero(DType::kUInt8, 0)})
                .first,
            ErrorCode::kInvalidArgument);
}

TEST(QLinearSoftmax, OldAndNewAxes) {
  std::mt19937 generator(4);
  for (const DType dtype : {DType::kUInt8, DType::kInt8}) {
    const double least = dtype == DType::kInt8 ? -128 : 0;
    const Tensor x = random_bytes(generator, {3, 4, 50}, dtype);
    const Tensor values = OpCase("Mul").run({x.to(DType::kFloat64), Tensor::scalar(0.03125)});
    for (const int64_t axis : {0, 1, -1}) {
      for (const int64_t opset : {12, 13}) {
        const Tensor real = OpCase("Softmax", opset).attribute("axis", axis < 0 ? axis + 3 : axis).run({values});
        std::vector<double> expected = doubles(real);
        for (double& value : expected) value = rounded(value * 1024, least, dtype);
        const Tensor y = microsoft("QLinearSoftmax")
                             .attribute("axis", axis)
                             .attribute("opset", opset)
                             .run({x, scale(0.03125f), zero(dtype, 2), scale(1.0f / 1024), zero(dtype, least)});
        expect_close(y, x.shape(), expected, 0);
      }
    }
  }
}

Tensor minus(const Tensor& x, const Tensor& zero_point) {
  return OpCase("Sub").run({x.to(DType::kFloat64), zero_point.to(DType::kFloat64)});
}

TEST(QGemm, EveryForm) {
  std::mt19937 generator(9);
  const DType dtype = DType::kUInt8;
  for (const int64_t turned_a : {0, 1}) {
    for (const int64_t turned_b : {0, 1}) {
      const Tensor a = random_bytes(generator, turned_a ? Shape{90, 20} : Shape{20, 90}, dtype);
      const Tensor b = random_bytes(generator, turned_b ? Shape{40, 90} : Shape{90, 40}, DType::kInt8);
      const Tensor c = Tensor::full({40}, 77, DType::kInt32);
      Tensor b_zero = random_bytes(generator, {40}, DType::kInt8);
      const auto product = [&](const Tensor& b_minus) {
        return doubles(OpCase("Gemm")
                           .attribute("transA", turned_a)
                           .attribute("transB", turned_b)
                           .run({minus(a, zero(dtype, 100)), b_minus, c.to(DType::kFloat64)}));
      };
      const std::vector<double> sums = product(minus(b, zero(DType::kInt8, 3)));
      std::vector<double> floats_of = sums, bytes = sums, each = product(minus(b, turned_b ? b_zero.reshape({40, 1}) : b_zero));
      for (double& value : floats_of) value *= 0.5 * 0.25 * 2;
      for (double& value : bytes) value = rounded(value * 0.5 * 0.25 * 2 / 2048, 120, dtype);
      for (size_t i = 0; i < each.size(); ++i) each[i] *= 0.5 * (i % 40 % 2 == 0 ? 0.5 : 0.125) * 2;
      OpCase node = microsoft("QGemm");
      node.attribute("transA", turned_a).attribute("transB", turned_b).attribute("alpha", 2.0f);
      std::vector<Tensor> inputs = {a, scale(0.5f), zero(dtype, 100), b, scale(0.25f), zero(DType::kInt8, 3), c};
      expect_close(node.run(inputs), {20, 40}, floats_of, 0);
      inputs.insert(inputs.end(), {scale(2048), zero(dtype, 120)});
      expect_close(node.run(inputs), {20, 40}, bytes, 0);
      expect_close(node.run_with_constants(inputs, 0b111111110), {20, 40}, bytes, 0);
      Tensor scales({40});
      for (size_t i = 0; i < 40; ++i) scales.mutable_values<float>()[i] = i % 2 == 0 ? 0.5f : 0.125f;
      expect_close(node.run_with_constants({a, scale(0.5f), zero(dtype, 100), b, scales, b_zero, c}, 0b101000), {20, 40}, each, 0);
    }
  }
}

TEST(QGemm, RefusesWhatDoesNotFit) {
  const Tensor a({2, 3}, DType::kUInt8), b({3, 4}, DType::kUInt8), s = scale(1), z = zero(DType::kUInt8, 0);
  const Tensor c({2, 3}, DType::kInt32);
  EXPECT_THAT(microsoft("QGemm").error({a, s, z, b, Tensor({3}), z}).second, HasSubstr("b_scale has shape [3]"));
  EXPECT_THAT(microsoft("QGemm").error({a, s, z, b, s, z, c}).second, HasSubstr("C has shape [2, 3]"));
  EXPECT_THAT(microsoft("QGemm").error({a, s, z, b, s, z, kNone, s}).second, HasSubstr("y_scale and y_zero_point"));
  EXPECT_EQ(microsoft("QGemm").error({a, s, z, a, s, z}).first, ErrorCode::kInvalidArgument);
  expect_close(microsoft("QGemm").run({Tensor({2, 0}, DType::kUInt8), s, z, Tensor({0, 1}, DType::kUInt8), s, z}), {2, 1}, {0, 0}, 0);
}

TEST(MatMulIntegerToFloat, ScalesColumnsAndAddsTheBias) {
  std::mt19937 generator(11);
  const Tensor a = random_bytes(generator, {2, 7, 30}, DType::kInt8), b = random_bytes(generator, {30, 5}, DType::kInt8);
  const Tensor scales = floats({5}, {0.5f, 1, 2, 4, 8}), bias = floats({5}, {1, 2, 3, 4, 5});
  const Tensor a_zero = zero(DType::kInt8, -9), b_zero = Tensor::of<int8_t>({5}, {1, 2, 3, 4, 5});
  const Tensor product = OpCase("MatMul").run({minus(a, a_zero), minus(b, b_zero)});
  std::vector<double> expected = doubles(product);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = expected[i] * 0.25 * std::exp2(i % 5) / 2 + static_cast<double>(i % 5 + 1);
  const std::vector<Tensor> inputs = {a, b, scale(0.25f), scales, a_zero, b_zero, bias};
  expect_close(microsoft("MatMulIntegerToFloat").run(inputs), {2, 7, 5}, expected, 0);
  expect_close(microsoft("MatMulIntegerToFloat").run_with_constants(inputs, 0b1101010), {2, 7, 5}, expected, 0);
  EXPECT_THAT(microsoft("MatMulIntegerToFloat").error({a, b, scales, scales}).second, HasSubstr("a_scale has shape [5]"));
}

// What it computes is DynamicQuantizeLinear, MatMulInteger and a scale.
TEST(DynamicQuantizeMatMul, IsItsThreeSteps) {
  std::mt19937 generator(12);
  const Tensor a = random_tensor(generator, {9, 30}, -2, 3), b = random_bytes(generator, {30, 40}, DType::kUInt8);
  const Tensor b_zero = zero(DType::kUInt8, 99), bias = random_tensor(generator, {40});
  OpCase quantize("DynamicQuantizeLinear", 11);
  quantize.outputs({"y", "scale", "zero"});
  const std::vector<Tensor> parts = quantize.run_all({a});
  const Tensor sums = OpCase("MatMulInteger", 10).run({parts[0], b, parts[2], b_zero});
  const Tensor factor = OpCase("Mul").run({parts[1], scale(0.125f)});
  const Tensor expected = OpCase("Add").run({OpCase("Mul").run({sums.to(DType::kFloat32), factor}), bias});
  expect_close(microsoft("DynamicQuantizeMatMul").run({a, b, scale(0.125f), b_zero, bias}), {9, 40}, doubles(expected), 1e-6);
  EXPECT_EQ(microsoft("DynamicQuantizeMatMul").error({a, b, scale(1), zero(DType::kInt8, 0)}).first, ErrorCode::kInvalidArgument);
}

TEST(MatMulInteger16, IsExact) {
  const Tensor a = Tensor::of<int16_t>({1, 3}, {32767, -32768, 5}), b = Tensor::of<int16_t>({3, 1}, {32767, 32767, -7});
  expect_close(microsoft("MatMulInteger16").run({a, b}), {1, 1}, {-32802}, 0);
  EXPECT_EQ(microsoft("MatMulInteger16").error({a.to(DType::kInt8), b}).first, ErrorCode::kInvalidArgument);
}

TEST(QLinearConv, ChannelsLastIsTheTurnedImage) {
  std::mt19937 generator(13);
  const DType dtype = DType::kUInt8;
  const Tensor x = random_bytes(generator, {2, 6, 9, 8}, dtype), w = random_bytes(generator, {4, 3, 3, 2}, DType::kInt8);
  const Tensor scales = floats({4}, {1, 0.5f, 0.25f, 2}), bias = Tensor::of<int32_t>({4}, {100, -700, 3000, 4});
  const auto inputs = [&](const Tensor& image) {
    return std::vector<Tensor>{image, scale(0.5f), zero(dtype, 90), w, scales, zero(DType::kInt8, 0), scale(256.0f), zero(dtype, 110),
                               bias};
  };
  const auto node = [&](OpCase made) { return made.ints("strides", {2, 1}).ints("pads", {1, 0, 1, 1}).attribute("group", 2); };
  const Tensor expected = node(OpCase("QLinearConv")).run(inputs(x));
  OpCase last = node(microsoft("QLinearConv").attribute("channels_last", 1));
  expect_close(turned(last.run(inputs(turned(x, true))), false), expected.shape(), doubles(expected), 0);
  expect_close(turned(last.run_with_constants(inputs(turned(x, true)), 0b111111110), false), expected.shape(), doubles(expected), 0);
  expect_close(node(microsoft("QLinearConv")).run(inputs(x)), expected.shape(), doubles(expected), 0);
}

TEST(QuantizeLinear, OfMicrosoftHasTheAxisOfToday) {
  const Tensor x = floats({2, 2}, {1, 2, -3, 4}), scales = floats({2}, {1, 0.5f});
  for (const DType dtype : {DType::kInt16, DType::kInt4}) {
    const Tensor zeros = OpCase("Cast", 25).attribute("to", static_cast<int>(dtype)).run({Tensor({2})});
    const Tensor y = microsoft("QuantizeLinear").attribute("axis", 0).run({x, scales, zeros});
    EXPECT_EQ(y.dtype(), dtype);
    const bool narrow = dtype == DType::kInt4;
    expect_close(OpCase("Cast", 25).attribute("to", static_cast<int>(DType::kFloat32)).run({y}), {2, 2}, {1, 2, -6, narrow ? 7.0 : 8.0}, 0);
    expect_close(microsoft("DequantizeLinear").attribute("axis", 0).run({y, scales, zeros}), {2, 2}, {1, 2, -3, narrow ? 3.5 : 4.0}, 0);
  }
  expect_close(microsoft("QuantizeLinear").run({x, scales, Tensor({2}, DType::kInt8)}), {2, 2}, {1, 4, -3, 8}, 0);
}

}  // namespace
}  // namespace sardonyx::ops
