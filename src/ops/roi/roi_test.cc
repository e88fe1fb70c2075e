#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

// On a map that rises evenly, the mean of a region is the value in its middle.
TEST(RoiAlign, MeansOfAPlane) {
  Tensor x({2, 1, 8, 8});
  for (size_t i = 0; i < 128; ++i) x.mutable_values<float>()[i] = static_cast<float>(i / 64 * 100 + i % 64 / 8 * 10 + i % 8);
  const Tensor rois = floats({2, 4}, {1, 2, 5, 6, 2, 2, 4, 4}), images = int64s({0, 1});
  for (const int samples : {0, 2}) {
    OpCase node("RoiAlign", 16), old("RoiAlign", 10);
    for (OpCase* op : {&node, &old}) op->attribute("output_height", 2).attribute("output_width", 1).attribute("sampling_ratio", samples);
    expect_close(node.run({x, rois, images}), {2, 1, 2, 1}, {27.5, 47.5, 122.5, 132.5});
    expect_close(old.run({x, rois, images}), {2, 1, 2, 1}, {33, 53, 128, 138});
    expect_close(old.run({x.to(DType::kFloat64), rois.to(DType::kFloat64), images}), {2, 1, 2, 1}, {33, 53, 128, 138});
  }
  EXPECT_THAT(OpCase("RoiAlign", 16).error({x, rois, int64s({0, 2})}).second, HasSubstr("image 2"));
  EXPECT_THAT(OpCase("RoiAlign", 16).error({x, floats({1, 4}, {0, 0, 1e30f, 1}), int64s({0})}).second,
              HasSubstr("samples for each output"));
  EXPECT_THAT(OpCase("RoiAlign", 16).error({x, floats({1, 4}, {0, 0, NAN, 1}), int64s({0})}).second, HasSubstr("not finite"));
}

TEST(MaxRoiPool, GreatestOfEachBin) {
  Tensor x({1, 1, 4, 4});
  for (size_t i = 0; i < 16; ++i) x.mutable_values<float>()[i] = static_cast<float>(i);
  OpCase node("MaxRoiPool", 1);
  node.ints("pooled_shape", {2, 2});
  expect_close(node.run({x, floats({2, 5}, {0, 0, 0, 3, 3, 0, 1, 1, 2, 2})}), {2, 1, 2, 2}, {5, 7, 13, 15, 5, 6, 9, 10});
  expect_close(node.run({x, floats({1, 5}, {0, 9, 9, 12, 12})}), {1, 1, 2, 2}, {0, 0, 0, 0});
  EXPECT_THAT(node.error({x, floats({1, 5}, {1, 0, 0, 3, 3})}).second, HasSubstr("image 1"));
  EXPECT_THAT(node.error({x, Tensor({1, 4})}).second, HasSubstr("rois has shape"));
}

}  // namespace
}  // namespace sardonyx::ops
