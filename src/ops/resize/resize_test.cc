#include "ops/resize/resize.h"

#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Tensor kNone;

Tensor scales(std::initializer_list<float> values) { return Tensor::of<float>({static_cast<int64_t>(values.size())}, values); }

TEST(Resize, LinearAndCubicOfOneAxis) {
  struct Row {
    const char *mode, *coordinates;
    std::vector<float> x;
    float scale;
    std::vector<double> y;
  };
  // Cubic by the weights of Keys with a = -0.75 at the fractions 1/4 and 3/4.
  const double far = -0.75 * (1.25 * 1.25 * 1.25 - 5 * 1.25 * 1.25 + 8 * 1.25 - 4), near = (1.25 * 0.25 - 2.25) * 0.0625 + 1;
  const double next = (1.25 * 0.75 - 2.25) * 0.5625 + 1, last = -0.75 * (1.75 * 1.75 * 1.75 - 5 * 1.75 * 1.75 + 8 * 1.75 - 4);
  const Row rows[] = {
      {"linear", "half_pixel", {0, 4}, 2, {0, 1, 3, 4}},
      {"linear", "asymmetric", {0, 4}, 2, {0, 2, 4, 4}},
      {"linear", "align_corners", {0, 3}, 2, {0, 1, 2, 3}},
      {"linear", "half_pixel", {0, 1, 2, 3}, 0.5f, {0.5, 2.5}},
      {"linear", "pytorch_half_pixel", {0, 1, 2, 3}, 0.25f, {0}},
      {"linear", "half_pixel_symmetric", {0, 1, 2, 3, 4}, 0.5f, {1, 3}},
      {"cubic", "half_pixel", {0, 0, 1, 0, 0}, 2, {0, last, far, next, near, near, next, far, last, 0}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.mode) + " " + row.coordinates);
    OpCase node("Resize", 19);
    node.attribute("mode", row.mode).attribute("coordinate_transformation_mode", row.coordinates);
    const Tensor x = Tensor::of<float>({1, static_cast<int64_t>(row.x.size())}, row.x);
    const std::vector<Tensor> inputs = {x, kNone, scales({1, row.scale})};
    expect_close(node.run(inputs), {1, static_cast<int64_t>(row.y.size())}, row.y);
    expect_close(node.run_with_constants(inputs, 0b100), {1, static_cast<int64_t>(row.y.size())}, row.y);
  }
}

TEST(Resize, NearestOfAnyType) {
  OpCase node("Resize", 13);
  node.attribute("coordinate_transformation_mode", "half_pixel").attribute("nearest_mode", "floor");
  const Tensor text = Tensor::of_strings({2}, {"a", "b"});
  EXPECT_THAT(node.run({text, kNone, scales({2})}).strings(), ElementsAre("a", "a", "a", "b"));
  struct Row {
    const char* rule;
    std::vector<double> y;
  };
  // The places 0, 0.5 and 1.
  for (const Row& row :
       {Row{"round_prefer_floor", {0, 0, 1}}, Row{"round_prefer_ceil", {0, 1, 1}}, Row{"floor", {0, 0, 1}}, Row{"ceil", {0, 1, 1}}}) {
    OpCase other("Resize", 13);
    other.attribute("coordinate_transformation_mode", "align_corners").attribute("nearest_mode", row.rule);
    expect_close(other.run({floats({2}, {0, 1}), kNone, scales({1.5f})}), {3}, row.y, 0);
  }
}

// A constant stays constant, whatever the filter.
TEST(Resize, WeightsSumUpToOne) {
  const Tensor x = Tensor::full({1, 1, 7, 5}, 3);
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    for (const char* coordinates : {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"}) {
      for (const int flags : {0, 1, 2, 3}) {
        OpCase node("Resize", 19);
        node.attribute("mode", mode).attribute("coordinate_transformation_mode", coordinates);
        node.attribute("antialias", flags & 1).attribute("exclude_outside", flags >> 1);
        expect_close(node.run({x, kNone, kNone, int64s({1, 1, 3, 11})}), {1, 1, 3, 11}, std::vector<double>(33, 3));
      }
    }
  }
}

TEST(Resize, AxesPoliciesAndTypes) {
  const Tensor x({1, 4, 6, 2});
  OpCase larger("Resize", 18), smaller("Resize", 18);
  larger.ints("axes", {2, -3}).attribute("keep_aspect_ratio_policy", "not_larger");
  smaller.ints("axes", {2, 1}).attribute("keep_aspect_ratio_policy", "not_smaller");
  EXPECT_EQ(larger.run({x, kNone, kNone, int64s({9, 7})}).shape(), (Shape{1, 6, 9, 2}));
  EXPECT_EQ(smaller.run({x, kNone, kNone, int64s({9, 7})}).shape(), (Shape{1, 7, 11, 2}));
  const Tensor values = Tensor::of<uint8_t>({1, 2}, {10, 21});
  const Tensor y = OpCase("Resize", 13).attribute("mode", "linear").run({values, kNone, scales({1, 2})});
  EXPECT_EQ(y.dtype(), DType::kUInt8);
  expect_close(y, {1, 4}, {10, 13, 18, 21}, 0);
  OpCase crop("Resize", 19);
  crop.attribute("mode", "linear").attribute("coordinate_transformation_mode", "tf_crop_and_resize").attribute("extrapolation_value", 9.0f);
  expect_close(crop.run({floats({3}, {0, 1, 2}), floats({2}, {0.5f, 1.5f}), kNone, int64s({3})}), {3}, {1, 2, 9});
}

TEST(Resize, OldVersions) {
  const Tensor x = floats({1, 1, 1, 2}, {1, 2});
  expect_close(OpCase("Upsample", 7).attribute("scales", std::vector<float>{1, 1, 1, 2}).run({x}), {1, 1, 1, 4}, {1, 1, 2, 2});
  expect_close(OpCase("Upsample", 1).attribute("height_scale", 2.0f).attribute("width_scale", 1.0f).run({x}), {1, 1, 2, 2}, {1, 2, 1, 2});
  expect_close(OpCase("Upsample", 9).attribute("mode", "linear").run({x, scales({1, 1, 1, 2})}), {1, 1, 1, 4}, {1, 1.5, 2, 2});
  expect_close(OpCase("Resize", 10).run({x, scales({1, 1, 1, 0.5f})}), {1, 1, 1, 1}, {1});
}

TEST(Resize, RefusesWhatMakesNoSense) {
  const Tensor x({2, 3});
  EXPECT_THAT(OpCase("Resize", 13).error({x, kNone, scales({1})}).second, HasSubstr("scales has 1 values; 2 are needed"));
  EXPECT_THAT(OpCase("Resize", 13).error({x, kNone, scales({1, -1})}).second, HasSubstr("positive"));
  EXPECT_THAT(OpCase("Resize", 13).error({x, kNone, scales({1, 1}), int64s({2, 3})}).second, HasSubstr("leave one out"));
  EXPECT_THAT(OpCase("Resize", 13).error({x}).second, HasSubstr("neither scales nor sizes"));
  EXPECT_THAT(OpCase("Resize", 13).error({Tensor({0, 3}), kNone, kNone, int64s({2, 3})}).second, HasSubstr("nothing cannot be resized"));
  EXPECT_EQ(OpCase("Resize", 13).error({x, kNone, kNone, int64s({int64_t{1} << 40, 3})}).first, ErrorCode::kResourceLimit);
  EXPECT_EQ(OpCase("Resize", 13).attribute("mode", "area").error({x, kNone, scales({1, 1})}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Resize", 13).attribute("mode", "linear").error({Tensor::of_strings({1}, {"a"}), kNone, scales({2})}).first,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Resize", 13).run({Tensor({0, 3}), kNone, scales({2, 2})}).shape(), (Shape{0, 6}));
}

}  // namespace
}  // namespace sardonyx::ops
