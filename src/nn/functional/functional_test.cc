#include "sardonyx/nn/functional.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "sardonyx/nn/random.h"

namespace sardonyx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Functional, Arithmetic) {
  const Tensor a = Tensor::of<float>({2, 1}, {1, 2}), b = Tensor::of<float>({3}, {10, 20, 30});
  EXPECT_EQ((a + b).shape(), (Shape{2, 3}));
  EXPECT_THAT((a + b).values<float>(), ElementsAre(11, 21, 31, 12, 22, 32));
  EXPECT_THAT(add(b, b, 0.5).values<float>(), ElementsAre(15, 30, 45));
  EXPECT_THAT(sub(b, b, 2).values<float>(), ElementsAre(-10, -20, -30));
  EXPECT_THAT((2 * b / 4 - 1).values<float>(), ElementsAre(4, 9, 14));
  EXPECT_THAT((Tensor::of<int64_t>({2}, {3, 4}) * 2.0).values<int64_t>(), ElementsAre(6, 8));
}

TEST(Functional, ArithmeticRefuses) {
  const Tensor ints = Tensor::ones({2}, DType::kInt64);
  EXPECT_THAT(error_of([&] { ints* Tensor::ones({2}); }), HasSubstr("tensor(int64) and a tensor(float); convert one with Tensor::to"));
  EXPECT_THAT(error_of([&] { ints * 0.5; }), HasSubstr("0.5"));
  EXPECT_THAT(error_of([&] { ints / ints; }), HasSubstr("true division of a tensor(int64)"));
  EXPECT_THAT(error_of([] {
                Tensor::ones({2, 3}) + Tensor::ones({4});
              }),
              HasSubstr("The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1"));
  EXPECT_THAT(error_of([] { Tensor() + Tensor::ones({4}); }), HasSubstr("undefined"));
}

TEST(Functional, Shapes) {
  const Tensor x = Tensor::ones({2, 3, 4});
  EXPECT_EQ(flatten(x).shape(), (Shape{24}));
  EXPECT_EQ(flatten(x, 1).shape(), (Shape{2, 12}));
  EXPECT_EQ(flatten(Tensor::scalar(1.0F)).shape(), (Shape{1}));
  EXPECT_EQ(reshape(x, {4, -1}).shape(), (Shape{4, 6}));
  EXPECT_EQ(permute(x, {2, 0, -2}).shape(), (Shape{4, 2, 3}));
  EXPECT_EQ(transpose(x, 0, -1).shape(), (Shape{4, 3, 2}));
  EXPECT_EQ(unsqueeze(x, -1).shape(), (Shape{2, 3, 4, 1}));
  EXPECT_EQ(squeeze(unsqueeze(x, 0), 0).shape(), x.shape());
  EXPECT_EQ(squeeze(x, 0).identity(), x.identity());
  EXPECT_EQ(cat({x, x}, -1).shape(), (Shape{2, 3, 8}));
}

TEST(Functional, ShapesRefuse) {
  const Tensor x = Tensor::ones({2, 3});
  EXPECT_THAT(error_of([&] { flatten(x, 1, 0); }), HasSubstr("start_dim cannot come after end_dim"));
  EXPECT_THAT(error_of([&] { permute(x, {0, 0}); }), HasSubstr("[0, 0] are not a permutation of the axes of shape [2, 3]"));
  EXPECT_THAT(error_of([&] { permute(x, {0}); }), HasSubstr("are not a permutation"));
  EXPECT_THAT(error_of([&] { transpose(x, 0, 2); }), HasSubstr("expected to be in range of [-2, 1], but got 2"));
  EXPECT_THAT(error_of([&] { cat(std::span<const Tensor>(), 0); }), HasSubstr("non-empty list"));
  EXPECT_THAT(error_of([&] {
                cat({x, Tensor::ones({3, 3})}, 1);
              }),
              HasSubstr("Expected size 2 but got size 3 for tensor number 1 in the list."));
  EXPECT_THAT(error_of([&] { cat({x, Tensor::ones({2})}, 1); }), HasSubstr("same number of dimensions"));
  EXPECT_THAT(error_of([&] { cat({x, x.to(DType::kFloat64)}, 1); }), HasSubstr("tensor 1 a tensor(double)"));
}

TEST(Functional, PoolingRefuses) {
  const Tensor x = Tensor::ones({1, 1, 4, 4});
  EXPECT_THAT(error_of([&] { max_pool2d(x, 3, 1, 2); }),
              HasSubstr("pad should be at most half of kernel size, but got pad=2 and kernel_size=3"));
  EXPECT_THAT(error_of([&] { max_pool2d(x, 5); }), HasSubstr("Calculated output size: (1 x 0 x 0). Output size is too small"));
  EXPECT_THAT(error_of([&] { max_pool2d(x, INT64_MAX); }), HasSubstr("kernel_size must be at least 1 and below 2^31"));
  EXPECT_THAT(error_of([&] { max_pool2d(x, 2, 0); }), HasSubstr("stride must be at least 1"));
  EXPECT_THAT(error_of([&] { avg_pool2d(x, 2, {}, 0, false, true, 0); }), HasSubstr("divisor must be not zero"));
  EXPECT_THAT(error_of([&] { avg_pool2d(x, 2, {}, 0, true, true, 3); }, ErrorCode::kUnsupported),
              HasSubstr("ceil_mode is not implemented"));
  EXPECT_THAT(error_of([&] { adaptive_avg_pool2d(Tensor::ones({1, 1, 0, 4}), 1); }), HasSubstr("non-zero size"));
  EXPECT_THAT(error_of([&] { max_pool2d(Tensor::ones({4}), 1); }),
              HasSubstr("Expected 3D (unbatched) or 4D (batched) input to max_pool2d"));
}

TEST(Functional, ConvolutionRefuses) {
  const Tensor x = Tensor::ones({1, 2, 4, 4}), w = Tensor::ones({2, 2, 3, 3});
  EXPECT_THAT(error_of([&] { conv2d(x, Tensor::ones({2, 2, 3})); }), HasSubstr("weight must have 4 dimensions"));
  EXPECT_THAT(error_of([&] { conv2d(x, w, Tensor::ones({3})); }), HasSubstr("expected bias to be 1-dimensional with 2 elements"));
  EXPECT_THAT(error_of([&] { conv2d(x, w, {}, 1, 0, INT32_MAX); }), HasSubstr("Kernel size can't be greater than actual input size"));
  EXPECT_THAT(error_of([&] { conv2d(x, w, {}, 1, 0, 1, 0); }), HasSubstr("non-positive groups"));
  EXPECT_THAT(error_of([&] { conv2d(x, w, {}, 1, 0, 1, INT64_MAX); }), HasSubstr("divisible by"));
  EXPECT_THAT(error_of([&] { conv2d(x.to(DType::kFloat64), w); }), HasSubstr("the input is a tensor(double)"));
}

TEST(Functional, PixelShuffleRefuses) {
  EXPECT_THAT(error_of([] { pixel_shuffle(Tensor::ones({1, 5, 2, 2}), 2); }), HasSubstr("input.size(-3)=5 is not divisible by 4"));
  EXPECT_THAT(error_of([] { pixel_shuffle(Tensor::ones({1, 4, 2, 2}), 0); }), HasSubstr("positive upscale_factor, but got 0"));
  EXPECT_THAT(error_of([] { pixel_unshuffle(Tensor::ones({1, 4, 3, 2}), 2); }), HasSubstr("not divisible by 2"));
}

TEST(Functional, BatchNormRefuses) {
  const Tensor x = Tensor::ones({2, 3}), four = Tensor::ones({4}), three = Tensor::ones({3});
  EXPECT_THAT(error_of([&] { batch_norm(x, {}, {}, four, three); }), HasSubstr("running_mean should contain 3 elements not 4"));
  EXPECT_THAT(error_of([&] { batch_norm(x, {}, {}, {}, three); }), HasSubstr("to be defined when training=False"));
  EXPECT_THAT(error_of([&] { batch_norm(Tensor::ones({2}), {}, {}, three, three); }), HasSubstr("at least 2D"));
  EXPECT_THAT(error_of([&] { batch_norm(x, {}, {}, three.to(DType::kFloat64), three); }), HasSubstr("running_mean a tensor(double)"));
}

TEST(Functional, Clamp) {
  const Tensor x = Tensor::of<float>({3}, {-2, 0.5F, 3});
  EXPECT_THAT(clamp(x, -1, 1).values<float>(), ElementsAre(-1, 0.5F, 1));
  EXPECT_THAT(clamp(x, std::nullopt, 1).values<float>(), ElementsAre(-2, 0.5F, 1));
  EXPECT_THAT(error_of([&] { clamp(x, std::nullopt); }), HasSubstr("At least one of 'min' or 'max'"));
}

}  // namespace
}  // namespace sardonyx
