#include "ops/conv_transpose/conv_transpose.h"

#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

struct Case {
  Shape image, w;  // w as Conv takes it: its output channels are the input channels of ConvTranspose
  std::vector<int64_t> strides, dilations, pads, output_padding;
  int64_t groups = 1;
};

const Case kCases[] = {{{2, 3, 9}, {4, 3, 3}, {2}, {}, {1, 1}, {0}},
                       {{1, 4, 8, 7}, {6, 2, 3, 2}, {2, 3}, {1, 2}, {1, 0, 0, 2}, {0, 0}, 2},
                       {{1, 2, 5, 6, 7}, {3, 2, 2, 3, 2}, {1, 2, 2}, {2, 1, 1}, {0, 1, 1, 1, 1, 0}, {0, 1, 0}},
                       {{1, 5, 20, 20}, {70, 5, 4, 4}, {2, 2}, {}, {1, 1, 1, 1}, {}}};

double dot(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = doubles(a), y = doubles(b);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

OpCase node(const char* op, const Case& c) {
  OpCase result(op, 11);
  result.attribute("group", c.groups).ints("strides", c.strides).ints("pads", c.pads);
  if (!c.dilations.empty()) result.ints("dilations", c.dilations);
  return result;
}

// ConvTranspose is the adjoint of Conv: <conv(x), z> = <x, conv_transpose(z)>.
TEST(ConvTranspose, IsTheAdjointOfConv) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (const Case& c : kCases) {
    const Tensor x = random_tensor(generator, c.image), w = random_tensor(generator, c.w);
    const Tensor y = node("Conv", c).run({x, w}), z = random_tensor(generator, y.shape());
    OpCase transpose = node("ConvTranspose", c);
    if (!c.output_padding.empty()) transpose.ints("output_padding", c.output_padding);
    const Tensor back = transpose.run({z, w});
    ASSERT_EQ(back.shape(), x.shape());
    EXPECT_NEAR(dot(y, z), dot(x, back), 1e-4 * std::sqrt(dot(y, y) * dot(z, z)));
    const Tensor wide = transpose.run({z.to(DType::kFloat64), w.to(DType::kFloat64)});
    expect_close(back, x.shape(), doubles(wide), 1e-4);
    const Tensor half = transpose.run({z.to(DType::kFloat16), w.to(DType::kFloat16)});
    EXPECT_EQ(half.dtype(), DType::kFloat16);
  }
}

TEST(ConvTranspose, SizesAndPlaces) {
  const Tensor x = floats({1, 1, 2}, {1, 2}), w = floats({1, 1, 3}, {1, 1, 1}), bias = floats({1}, {10});
  const auto run = [&](OpCase op) { return op.run({x, w, bias}); };
  expect_close(run(OpCase("ConvTranspose").ints("strides", {2})), {1, 1, 5}, {11, 11, 13, 12, 12});
  expect_close(run(OpCase("ConvTranspose").ints("strides", {2}).ints("pads", {1, 0})), {1, 1, 4}, {11, 13, 12, 12});
  expect_close(run(OpCase("ConvTranspose").ints("strides", {2}).attribute("auto_pad", "SAME_UPPER")), {1, 1, 4}, {11, 11, 13, 12});
  expect_close(run(OpCase("ConvTranspose").ints("strides", {2}).attribute("auto_pad", "SAME_LOWER")), {1, 1, 4}, {11, 13, 12, 12});
  expect_close(run(OpCase("ConvTranspose").ints("strides", {2}).ints("output_shape", {7})), {1, 1, 7}, {11, 11, 13, 12, 12, 10, 10});
  expect_close(run(OpCase("ConvTranspose").ints("strides", {2}).ints("output_padding", {1})), {1, 1, 6}, {11, 11, 13, 12, 12, 10});
}

TEST(ConvTranspose, RefusesWhatDoesNotFit) {
  const Tensor x({1, 2, 3}), w({2, 1, 2});
  EXPECT_THAT(OpCase("ConvTranspose").error({x, Tensor({3, 1, 2})}).second, HasSubstr("channels"));
  EXPECT_THAT(OpCase("ConvTranspose").ints("pads", {9, 9}).error({x, w}).second, HasSubstr("leaves"));
  EXPECT_THAT(OpCase("ConvTranspose").ints("strides", {1, 1}).error({x, w}).second, HasSubstr("strides has 2 values"));
  EXPECT_THAT(OpCase("ConvTranspose").ints("kernel_shape", {3}).error({x, w}).second, HasSubstr("kernel_shape"));
  EXPECT_EQ(OpCase("ConvTranspose").ints("output_shape", {int64_t{1} << 39}).error({x, w}).first, ErrorCode::kResourceLimit);
}

TEST(Col2Im, AddsWhereBlocksOverlap) {
  const Tensor ones = Tensor::ones({1, 4, 4});
  const Tensor image = int64s({3, 3}), block = int64s({2, 2});
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kUInt64}) {
    const Tensor y = OpCase("Col2Im", 18).run({ones.to(dtype), image, block});
    EXPECT_EQ(y.dtype(), dtype);
    expect_close(y, {1, 1, 3, 3}, {1, 2, 1, 2, 4, 2, 1, 2, 1}, 0);
  }
  EXPECT_THAT(OpCase("Col2Im", 18).error({Tensor({1, 4, 5}), image, block}).second, HasSubstr("input has shape"));
  EXPECT_EQ(OpCase("Col2Im", 18).error({Tensor({1, 4, 4}, DType::kFloat8E5M2), image, block}).first, ErrorCode::kUnsupported);
}

TEST(Col2Im, BoolsAndStrings) {
  const Tensor image = int64s({3}), block = int64s({2});
  const Tensor bools = Tensor::of<bool>({1, 2, 2}, {false, true, false, true});
  EXPECT_THAT(OpCase("Col2Im", 18).run({bools, image, block}).values<bool>(), testing::ElementsAre(false, true, true));
  const Tensor texts = Tensor::of_strings({1, 2, 2}, {"a", "b", "c", "d"});
  EXPECT_THAT(OpCase("Col2Im", 18).run({texts, image, block}).strings(), testing::ElementsAre("a", "bc", "d"));
}

TEST(DeformConv, WithoutOffsetsIsConv) {
  std::mt19937 generator(6);
  const Tensor x = random_tensor(generator, {2, 4, 7, 6}), w = random_tensor(generator, {6, 2, 3, 2}), bias = random_tensor(generator, {6});
  OpCase conv("Conv"), deform("DeformConv");
  for (OpCase* op : {&conv, &deform})
    op->attribute("group", 2).ints("strides", {2, 1}).ints("pads", {1, 0, 1, 1}).ints("dilations", {1, 2});
  deform.attribute("offset_group", 2);
  const Tensor expected = conv.run({x, w, bias});
  const Shape& out = expected.shape();
  const Tensor none({2, 24, out[2], out[3]}), mask = Tensor::ones({2, 12, out[2], out[3]});
  expect_close(deform.run({x, w, none, bias, mask}), out, doubles(expected));
  expect_close(deform.run({x.to(DType::kFloat64), w.to(DType::kFloat64), none.to(DType::kFloat64)}), out, doubles(conv.run({x, w})));
  // Offsets of one row down are an input moved one row up.
  const Tensor line = floats({1, 1, 3, 1}, {1, 2, 4}), one = Tensor::ones({1, 1, 1, 1});
  Tensor offsets({1, 2, 3, 1});
  for (size_t i = 0; i < 3; ++i) offsets.mutable_values<float>()[i] = 0.5f;
  expect_close(OpCase("DeformConv").run({line, one, offsets}), {1, 1, 3, 1}, {1.5, 3, 2});
  EXPECT_THAT(OpCase("DeformConv").error({line, one, Tensor({1, 3, 3, 1})}).second, HasSubstr("offset has shape"));
}

}  // namespace
}  // namespace sardonyx::ops
