#include "ops/quantize/quantize.h"

#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor bytes(Shape shape, std::initializer_list<uint8_t> values) { return Tensor::of<uint8_t>(std::move(shape), values); }
Tensor cast(const Tensor& x, DType dtype) { return OpCase("Cast", 25).attribute("to", static_cast<int>(dtype)).run({x}); }

template <class T>
Tensor random_integers(std::mt19937& generator, Shape shape) {
  Tensor result = Tensor::empty(std::move(shape), kDTypeOf<T>);
  std::uniform_int_distribution<int> distribution(std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
  for (T& value : result.mutable_values<T>()) value = static_cast<T>(distribution(generator));
  return result;
}

TEST(QuantizeLinear, RoundsAndSaturates) {
  const Tensor x = floats({6}, {0.5f, 1.5f, 2.5f, -300, 1000, -1});
  EXPECT_THAT(doubles(OpCase("QuantizeLinear", 13).run({x, Tensor::scalar(1.0f)})), ElementsAre(0, 2, 2, 0, 255, 0));
  EXPECT_THAT(doubles(OpCase("QuantizeLinear", 10).run({x, Tensor::scalar(0.5f), Tensor::scalar<int8_t>(1)})),
              ElementsAre(2, 4, 6, -128, 127, -1));
  const Tensor wide =
      OpCase("QuantizeLinear", 21).attribute("output_dtype", static_cast<int>(DType::kInt16)).run({x, Tensor::scalar(0.01f)});
  EXPECT_THAT(doubles(wide), ElementsAre(50, 150, 250, -30000, 32767, -100));
}

TEST(QuantizeLinear, AxesAndBlocks) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6}), zero({3}, DType::kUInt8);
  expect_close(OpCase("QuantizeLinear", 13).run({x, floats({3}, {1, 0.5f, 0.25f}), zero}), {2, 3}, {1, 4, 12, 4, 10, 24}, 0);
  expect_close(OpCase("QuantizeLinear", 13).attribute("axis", -2).run({x, floats({2}, {1, 0.5f})}), {2, 3}, {1, 2, 3, 8, 10, 12}, 0);
  OpCase blocked("QuantizeLinear", 21), back("DequantizeLinear", 21);
  blocked.attribute("block_size", 2), back.attribute("block_size", 2);
  const Tensor scale = floats({2, 2}, {1, 0.5f, 2, 0.25f});
  const Tensor y = blocked.run({x, scale, bytes({2, 2}, {0, 1, 2, 3})});
  expect_close(y, {2, 3}, {1, 2, 7, 4, 4, 27}, 0);
  expect_close(back.run({y, scale, bytes({2, 2}, {0, 1, 2, 3})}), {2, 3}, {1, 2, 3, 4, 4, 6}, 0);
}

// Values that a type holds come back as they were.
TEST(QuantizeLinear, EveryTypeAndBack) {
  const Tensor x = floats({5}, {0, 1, 0.5f, 1.5f, 1});
  for (const DType dtype : {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16, DType::kInt4, DType::kUInt4, DType::kUInt2,
                            DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ, DType::kFloat4E2M1}) {
    SCOPED_TRACE(type_string(dtype));
    for (const DType wide : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
      const Tensor scale = Tensor::full({}, 0.5, wide);
      const Tensor y = OpCase("QuantizeLinear", 25).attribute("output_dtype", static_cast<int>(dtype)).run({x.to(wide), scale});
      EXPECT_EQ(y.dtype(), dtype);
      const Tensor z = OpCase("DequantizeLinear", 25).run({y, scale});
      EXPECT_EQ(z.dtype(), wide);
      expect_close(z, {5}, doubles(x), 0);
    }
  }
  const Tensor powers = cast(floats({}, {0.5f}), DType::kFloat8E8M0);
  const Tensor y =
      OpCase("QuantizeLinear", 25).attribute("output_dtype", static_cast<int>(DType::kInt2)).run({floats({2}, {0.5f, -1}), powers});
  EXPECT_EQ(y.dtype(), DType::kInt2);
  expect_close(OpCase("DequantizeLinear", 25).attribute("output_dtype", static_cast<int>(DType::kFloat32)).run({y, powers}), {2}, {0.5, -1},
               0);
}

TEST(QuantizeLinear, RefusesWhatDoesNotFit) {
  const Tensor x({2, 3});
  EXPECT_THAT(OpCase("QuantizeLinear", 13).error({x, Tensor({2})}).second, HasSubstr("axis 1 of x has 3"));
  EXPECT_THAT(OpCase("QuantizeLinear", 13).error({x, Tensor({1, 3})}).second, HasSubstr("scalar or a vector"));
  EXPECT_THAT(OpCase("QuantizeLinear", 21).attribute("block_size", 2).error({x, Tensor({2, 3})}).second,
              HasSubstr("blocks of 2 need [2, 2]"));
  EXPECT_THAT(OpCase("QuantizeLinear", 13).error({x, Tensor({3}), bytes({2}, {0, 0})}).second, HasSubstr("zero point"));
  EXPECT_THAT(OpCase("DequantizeLinear", 13).error({bytes({1}, {0}), Tensor::scalar(1.0f), Tensor::scalar<int8_t>(0)}).second,
              HasSubstr("zero point"));
  EXPECT_EQ(OpCase("DequantizeLinear", 13).error({x, Tensor::scalar(1.0f)}).first, ErrorCode::kInvalidArgument);
}

TEST(DynamicQuantizeLinear, CoversTheRangeWithZero) {
  OpCase node("DynamicQuantizeLinear", 11);
  node.outputs({"y", "scale", "zero"});
  const std::vector<Tensor> results = node.run_all({floats({4}, {0, 2, -3, -2.5f})});
  EXPECT_THAT(doubles(results[0]), ElementsAre(153, 255, 0, 26));
  expect_close(results[1], {}, {5.0 / 255});
  expect_close(results[2], {}, {153});
  EXPECT_THAT(doubles(node.run({floats({2}, {0, 0})})), ElementsAre(0, 0));
}

// Integers are exact: the products of float64 tensors say what they must be.
TEST(MatMulInteger, AgreesWithTheProductOfNumbers) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  const std::pair<Shape, Shape> shapes[] = {{{5, 40}, {40, 300}}, {{2, 1, 4, 6}, {3, 6, 5}}, {{2, 3, 4, 6}, {6, 5}}, {{6}, {6, 4}},
                                            {{3, 6}, {6}},        {{2, 0}, {0, 3}}};
  for (const auto& [a_shape, b_shape] : shapes) {
    const Tensor a = random_integers<uint8_t>(generator, a_shape), b = random_integers<int8_t>(generator, b_shape);
    const auto minus = [](const Tensor& x, double zero) { return OpCase("Sub").run({x.to(DType::kFloat64), Tensor::scalar(zero)}); };
    const Tensor expected = OpCase("MatMul").run({minus(a, 7), minus(b, -3)});
    const Tensor y = OpCase("MatMulInteger", 10).run({a, b, Tensor::scalar<uint8_t>(7), Tensor::scalar<int8_t>(-3)});
    EXPECT_EQ(y.dtype(), DType::kInt32);
    expect_close(y, expected.shape(), doubles(expected), 0);
    for (const uint32_t constants : {0b0010U, 0b1010U, 0b1111U}) {
      const Tensor packed =
          OpCase("MatMulInteger", 10).run_with_constants({a, b, Tensor::scalar<uint8_t>(7), Tensor::scalar<int8_t>(-3)}, constants);
      expect_close(packed, expected.shape(), doubles(expected), 0);
    }
  }
  const Tensor ones = Tensor::ones({2, 2}, DType::kUInt8), rows = bytes({2}, {0, 1}), columns = bytes({2}, {1, 3});
  expect_close(OpCase("MatMulInteger", 10).run({ones, ones, rows, columns}), {2, 2}, {0, -4, 0, 0}, 0);
  EXPECT_THAT(OpCase("MatMulInteger", 10).error({ones, ones, bytes({3}, {0, 0, 0})}).second, HasSubstr("zero point of A"));
  EXPECT_EQ(OpCase("MatMulInteger", 10).error({ones.to(DType::kInt32), ones.to(DType::kInt32)}).first, ErrorCode::kInvalidArgument);
}

TEST(QLinearMatMul, RoundsTheProductOnce) {
  const Tensor a = bytes({1, 2}, {3, 5}), b = bytes({2, 2}, {1, 2, 3, 4});
  const auto scalar = [](float value) { return Tensor::scalar(value); };
  const Tensor zero = Tensor::scalar<uint8_t>(1);
  // (2, 4) times ((0, 1), (2, 3)) is (8, 14).
  expect_close(OpCase("QLinearMatMul", 10).run({a, scalar(0.5f), zero, b, scalar(1), zero, scalar(4), zero}), {1, 2}, {2, 3}, 0);
  const Tensor columns = floats({2}, {1, 0.5f}), zeros = bytes({2}, {1, 1});
  expect_close(OpCase("QLinearMatMul", 21).run({a, scalar(0.5f), zero, b, columns, zeros, scalar(4), zero}), {1, 2}, {2, 2}, 0);
  const auto small = [](const Tensor& x) { return cast(x, DType::kFloat8E4M3FN); };
  // 8.5 / 2 lies half way between two numbers of that type.
  const Tensor none = small(floats({}, {0}));
  const Tensor y =
      OpCase("QLinearMatMul", 21)
          .run({small(floats({1, 2}, {1, 2})), scalar(1), none, small(floats({2, 1}, {0.5f, 4})), scalar(1), none, scalar(2), none});
  expect_close(cast(y, DType::kFloat32), {1, 1}, {4}, 0);
}

TEST(ConvInteger, AgreesWithTheConvolutionOfNumbers) {
  std::mt19937 generator(5);
  struct Case {
    Shape x, w;
    int64_t groups;
    std::vector<int64_t> strides, dilations, pads;
  };
  const Case cases[] = {{{2, 4, 9, 8}, {6, 2, 3, 3}, 2, {1, 2}, {2, 1}, {1, 0, 2, 1}},
                        {{1, 3, 20, 20}, {5, 3, 2, 2}, 1, {}, {}, {}},
                        {{1, 2, 7}, {2, 2, 3}, 1, {2}, {}, {1, 1}},
                        {{1, 2, 4, 5, 3}, {3, 2, 2, 2, 2}, 1, {}, {}, {}}};
  for (const Case& c : cases) {
    const Tensor x = random_integers<int8_t>(generator, c.x), w = random_integers<uint8_t>(generator, c.w);
    const auto node = [&](const char* op) {
      OpCase result(op, 11);
      result.attribute("group", c.groups);
      if (!c.strides.empty()) result.ints("strides", c.strides);
      if (!c.dilations.empty()) result.ints("dilations", c.dilations);
      if (!c.pads.empty()) result.ints("pads", c.pads);
      return result;
    };
    const auto minus = [](const Tensor& t, float zero) { return OpCase("Sub").run({t.to(DType::kFloat32), Tensor::scalar(zero)}); };
    const Tensor expected = node("Conv").run({minus(x, 5), minus(w, 100)});
    const Tensor y = node("ConvInteger").run({x, w, Tensor::scalar<int8_t>(5), Tensor::scalar<uint8_t>(100)});
    expect_close(y, expected.shape(), doubles(expected), 0);
    const Tensor scale = Tensor::full({c.w[0]}, 0.25), zeros = Tensor::full({c.w[0]}, 100, DType::kUInt8),
                 bias = Tensor::full({c.w[0]}, 40, DType::kInt32);
    const Tensor q = node("QLinearConv")
                         .run({x, Tensor::scalar(0.5f), Tensor::scalar<int8_t>(5), w, scale, zeros, Tensor::scalar(64.0f),
                               Tensor::scalar<uint8_t>(9), bias});
    std::vector<double> rounded = doubles(expected);
    for (double& value : rounded) value = std::clamp(std::nearbyint((value + 40) * 0.125 / 64) + 9, 0.0, 255.0);
    expect_close(q, expected.shape(), rounded, 0);
    const Tensor packed = node("QLinearConv")
                              .run_with_constants({x, Tensor::scalar(0.5f), Tensor::scalar<int8_t>(5), w, scale, zeros,
                                                   Tensor::scalar(64.0f), Tensor::scalar<uint8_t>(9), bias},
                                                  0b111111110);
    expect_close(packed, expected.shape(), rounded, 0);
  }
}

}  // namespace
}  // namespace sardonyx::ops
