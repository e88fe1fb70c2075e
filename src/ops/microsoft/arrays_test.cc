// Operators of com.microsoft that work on arrays and images: CropAndResize, GridSample, Inverse, Pad, Range, Trilu.
#include <gmock/gmock.h>

#include "ops/facts.h"
#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

OpCase node(const char* op_type) { return OpCase(op_type, 1, "com.microsoft"); }
Tensor int32s(std::initializer_list<int32_t> values) { return Tensor::of<int32_t>({static_cast<int64_t>(values.size())}, values); }

TEST(Inverse, TimesTheMatrixGivesTheIdentity) {
  std::mt19937 generator(31);
  for (const int64_t n : {1, 2, 5, 17}) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
      SCOPED_TRACE(type_string(dtype) + " " + std::to_string(n));
      Tensor plain = random_tensor(generator, {2, 3, n, n});
      const auto values = plain.mutable_values<float>();
      for (int64_t i = 0; i < 6 * n; ++i) values[static_cast<size_t>(i / n * n * n + i % n * n + (n - 1 - i % n))] += static_cast<float>(n);
      const Tensor x = plain.to(dtype), y = node("Inverse").run({x});
      EXPECT_EQ(y.dtype(), dtype);
      const Tensor product = OpCase("MatMul").run({x.to(DType::kFloat64), y.to(DType::kFloat64)});
      std::vector<double> identity(to_size(product.numel()));
      for (size_t i = 0; i < 6 * static_cast<size_t>(n); ++i) identity[i * static_cast<size_t>(n) + i % static_cast<size_t>(n)] = 1;
      const bool is_half = dtype == DType::kFloat16 || dtype == DType::kBFloat16;
      expect_close(product, x.shape(), identity, is_half ? 5e-2 : dtype == DType::kFloat64 ? 1e-12 : 1e-5);
    }
  }
}

TEST(Inverse, RefusesSingularAndOblongMatrices) {
  EXPECT_THAT(node("Inverse").error({floats({2, 2, 2}, {1, 0, 0, 1, 1, 2, 2, 4})}).second, HasSubstr("matrix 1 of X is singular"));
  EXPECT_THAT(node("Inverse").error({Tensor({2, 3})}).second, HasSubstr("last two dimensions must be equal"));
  EXPECT_EQ(node("Inverse").error({Tensor({3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node("Inverse").error({Tensor({2, 2}, DType::kInt32)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node("Inverse").run({Tensor({4, 0, 0})}).shape(), (Shape{4, 0, 0}));
}

// An image whose value at (row, column) is 10 row + column, so that linear sampling gives 10 y + x.
Tensor ramp(int64_t height, int64_t width) {
  Tensor image = Tensor::empty({1, 1, height, width});
  const auto values = image.mutable_values<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(10 * (i / to_size(width)) + i % to_size(width));
  return image;
}

TEST(CropAndResize, CornersMeet) {
  const Tensor x = ramp(5, 9), boxes = floats({2, 4}, {0, 0, 1, 1, 0.25f, 0.5f, 0.75f, 0.25f}), images = int32s({0, 0});
  const std::vector<double> expected = {0, 4, 8, 20, 24, 28, 40, 44, 48, 14, 13, 12, 24, 23, 22, 34, 33, 32};
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    expect_close(node("CropAndResize").run({x.to(dtype), boxes.to(dtype), images, int32s({3, 3})}), {2, 1, 3, 3}, expected);
  }
  expect_close(node("CropAndResize").run_with_constants({x, boxes, images, int32s({1, 1})}, 0b1000), {2, 1, 1, 1}, {24, 23});
  const Tensor between = floats({1, 4}, {0.1f, 0.2f, 0.6f, 0.7f});
  expect_close(node("CropAndResize").run({x, between, int32s({0}), int32s({2, 2})}), {1, 1, 2, 2}, {5.6, 9.6, 25.6, 29.6});
  expect_close(node("CropAndResize").attribute("mode", "nearest").run({x, between, int32s({0}), int32s({2, 2})}), {1, 1, 2, 2},
               {2, 6, 22, 26});
}

TEST(CropAndResize, FillsWhatLiesOutside) {
  const Tensor x = ramp(3, 3), boxes = floats({1, 4}, {0, -0.5f, 2, 1});
  OpCase fill = node("CropAndResize");
  fill.attribute("extrapolation_value", -1.0f);
  expect_close(fill.run({x, boxes, int32s({0}), int32s({2, 2})}), {1, 1, 2, 2}, {-1, 2, -1, -1});
  const Tensor nan = floats({1, 4}, {std::nanf(""), 0, 1, 1});
  expect_close(fill.run({x, nan, int32s({0}), int32s({2, 2})}), {1, 1, 2, 2}, {-1, -1, 20, 22});
}

TEST(CropAndResize, RefusesWhatDoesNotFit) {
  const Tensor x = ramp(3, 3), boxes({1, 4}), size = int32s({2, 2});
  EXPECT_THAT(node("CropAndResize").error({x, boxes, int32s({1}), size}).second, HasSubstr("box 0 is of image 1; X has 1 images"));
  EXPECT_EQ(node("CropAndResize").error({x, boxes, int32s({-1}), size}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node("CropAndResize").error({x, boxes, int32s({0, 0}), size}).first, ErrorCode::kInvalidArgument);
  EXPECT_THAT(node("CropAndResize").error({x, boxes, int32s({0}), int32s({0, 2})}).second, HasSubstr("two positive sizes"));
  EXPECT_EQ(node("CropAndResize").error({x, boxes, int32s({0}), int32s({2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node("CropAndResize").error({Tensor({1, 1, 0, 3}), boxes, int32s({0}), size}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node("CropAndResize").attribute("mode", "cubic").error({x, boxes, int32s({0}), size}).first, ErrorCode::kInvalidModel);
  const Tensor huge = Tensor::of<int32_t>({2}, {1 << 30, 1 << 30});
  EXPECT_EQ(node("CropAndResize").error({x, boxes, int32s({0}), huge}).first, ErrorCode::kResourceLimit);
}

TEST(MicrosoftPad, ReadsPadsFromAnInput) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4}), pads = Tensor::of<int64_t>({1, 4}, {0, 1, 0, -1});
  expect_close(node("Pad").run({x, pads, floats({1}, {9})}), {2, 2}, {9, 1, 9, 3});
  expect_close(node("Pad").run({x, int64s({1, 0, 0, 1})}), {3, 3}, {0, 0, 0, 1, 2, 0, 3, 4, 0});
  expect_close(node("Pad").attribute("mode", "edge").run({x, int64s({1, 0, 0, 1})}), {3, 3}, {1, 2, 2, 1, 2, 2, 3, 4, 4});
  EXPECT_EQ(node("Pad").error({x, int64s({1, 0})}).first, ErrorCode::kInvalidArgument);
}

TEST(MicrosoftRange, StepsByOneWithoutADelta) {
  const Tensor one = Tensor::scalar<int64_t>(1), four = int64s({4});
  expect_close(node("Range").run({one, four}), {3}, {1, 2, 3});
  expect_close(node("Range").run({one, four, Tensor()}), {3}, {1, 2, 3});
  expect_close(node("Range").run({floats({}, {1}), floats({}, {0}), floats({}, {-0.25f})}), {4}, {1, 0.75, 0.5, 0.25});
  EXPECT_EQ(OpCase("Range").error({one, one, Tensor()}).first, ErrorCode::kInvalidArgument);  // ai.onnx needs it
}

TEST(MicrosoftTrilu, KeepsATriangle) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  expect_close(node("Trilu").run({x, Tensor::scalar<int64_t>(1)}), {2, 3}, {0, 2, 3, 0, 0, 6});
  expect_close(node("Trilu").attribute("upper", 0).run({x}), {2, 3}, {1, 0, 0, 4, 5, 0});
}

TEST(MicrosoftGridSample, IsThatOfAiOnnx) {
  std::mt19937 generator(32);
  const Tensor x = random_tensor(generator, {2, 3, 4, 5}), grid = random_tensor(generator, {2, 3, 2, 2}, -1.3f, 1.3f);
  for (const char* mode : {"bilinear", "nearest", "bicubic"}) {
    const Tensor expected = OpCase("GridSample", 16).attribute("mode", mode).attribute("padding_mode", "border").run({x, grid});
    expect_close(node("GridSample").attribute("mode", mode).attribute("padding_mode", "border").run({x, grid}), expected.shape(),
                 doubles(expected));
  }
  expect_close(node("GridSample").run({x, grid}), {2, 3, 3, 2}, doubles(OpCase("GridSample", 16).run({x, grid})));
}

}  // namespace
}  // namespace sardonyx::ops
