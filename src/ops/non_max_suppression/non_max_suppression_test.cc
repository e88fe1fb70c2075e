#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(NonMaxSuppression, KeepsTheBestOfEachHeap) {
  const Tensor corners = floats({1, 4, 4}, {0, 0, 2, 2, 0, 0.2f, 2, 2.2f, 5, 5, 4, 4, 0, 0, 2, 1.9f});
  const Tensor centers = floats({1, 4, 4}, {1, 1, 2, 2, 1.2f, 1, 2, 2, 4.5f, 4.5f, 1, 1, 0.95f, 1, 1.9f, 2});
  const Tensor scores = floats({1, 2, 4}, {0.5f, 0.9f, 0.7f, 0.9f, 0.1f, 0.1f, NAN, 0.2f});
  const Tensor limit = floats({1}, {0.5f});
  for (const int center : {0, 1}) {
    OpCase node("NonMaxSuppression", 11);
    node.attribute("center_point_box", center);
    const Tensor& boxes = center == 1 ? centers : corners;
    expect_close(node.run({boxes, scores, int64s({3}), limit}), {3, 3}, {0, 0, 1, 0, 0, 2, 0, 1, 3});
    expect_close(node.run({boxes, scores, int64s({1}), limit}), {2, 3}, {0, 0, 1, 0, 1, 3});
    expect_close(node.run({boxes, scores, int64s({3}), limit, floats({}, {0.8f})}), {1, 3}, {0, 0, 1});
    EXPECT_EQ(node.run({boxes, scores}).shape(), (Shape{0, 3}));
    EXPECT_EQ(node.run({boxes, scores, int64s({-5})}).shape(), (Shape{0, 3}));
  }
  EXPECT_THAT(OpCase("NonMaxSuppression", 11).error({corners, Tensor({1, 2, 3})}).second, HasSubstr("boxes has shape"));
  EXPECT_THAT(OpCase("NonMaxSuppression", 11).error({corners, scores, int64s({1, 2})}).second, HasSubstr("must be a scalar"));
}

}  // namespace
}  // namespace sardonyx::ops
