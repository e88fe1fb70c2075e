#include "ops/control/stack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/float8.h"

namespace sardonyx::ops {
namespace {

// Elements of the type whose bits count up, or their bits as a number each.
Tensor counting(Shape shape, DType dtype) {
  Tensor result(std::move(shape), dtype);
  for (size_t i = 0; i < static_cast<size_t>(result.numel()); ++i) {
    core::packed_set(static_cast<uint8_t*>(result.mutable_raw()), bit_width(dtype), i, static_cast<uint8_t>(i * 7 % 13));
  }
  return result;
}
uint8_t bits_at(const Tensor& tensor, int64_t index) {
  return core::packed_get(static_cast<const uint8_t*>(tensor.raw()), bit_width(tensor.dtype()), static_cast<size_t>(index));
}

TEST(Stack, PackedElementsAreSlicedAndStackedOnAnyAxis) {
  for (const DType dtype : {DType::kInt4, DType::kUInt2}) {
    const Shape shape = {3, 5, 7};
    const Tensor x = counting(shape, dtype);
    for (size_t axis = 0; axis < 3; ++axis) {
      std::vector<Tensor> slices;
      for (int64_t i = 0; i < shape[axis]; ++i) slices.push_back(slice_at(x, axis, i, core::shared_pool()));
      const int64_t inner = std::accumulate(shape.begin() + static_cast<ptrdiff_t>(axis) + 1, shape.end(), int64_t{1}, std::multiplies<>());
      for (int64_t i = 0; i < x.numel(); ++i) {
        const int64_t index = i / inner % shape[axis], place = i / inner / shape[axis] * inner + i % inner;
        ASSERT_EQ(bits_at(slices[static_cast<size_t>(index)], place), bits_at(x, i)) << "axis " << axis << " element " << i;
      }
      const Tensor back = stack(slices, axis, shape[axis], "y", core::shared_pool());
      ASSERT_EQ(back.shape(), shape);
      for (int64_t i = 0; i < x.numel(); ++i) ASSERT_EQ(bits_at(back, i), bits_at(x, i)) << "axis " << axis << " element " << i;
    }
  }
}

TEST(Stack, PlacesBehindTheLastSliceAreZero) {
  const Tensor one = counting({3}, DType::kUInt4);
  const Tensor y = stack({one}, 0, 2, "y", core::shared_pool());
  EXPECT_EQ(y.shape(), (Shape{2, 3}));
  for (int64_t i = 0; i < 6; ++i) EXPECT_EQ(bits_at(y, i), i < 3 ? bits_at(one, i) : 0);
  EXPECT_EQ(slice_at(Tensor({int64_t{1} << 40, 2, 0}, DType::kInt4), 1, 1, core::shared_pool()).numel(), 0);
}

}  // namespace
}  // namespace sardonyx::ops
