#include "sardonyx/nn/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/expect_error.h"
#include "nn/python_text.h"
#include "sardonyx/nn.h"

namespace sardonyx::nn {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::FloatNear;
using ::testing::HasSubstr;

TEST(PythonText, NumbersReadAsPythonWritesThem) {
  EXPECT_EQ(python_text(1e-5), "1e-05");
  EXPECT_EQ(python_text(0.0001), "0.0001");
  EXPECT_EQ(python_text(0.1), "0.1");
  EXPECT_EQ(python_text(2.0), "2.0");
  EXPECT_EQ(python_text(-0.0), "-0.0");
  EXPECT_EQ(python_text(1e15), "1000000000000000.0");
  EXPECT_EQ(python_text(1e16), "1e+16");
  EXPECT_EQ(python_text(1.5e300), "1.5e+300");
  EXPECT_EQ(python_text(HUGE_VAL), "inf");
  EXPECT_EQ(python_text(-std::nan("")), "nan");
}

TEST(Layers, PrintAsPython) {
  EXPECT_EQ(to_string(Conv2d(Conv2dOptions(4, 8, {3, 1}).stride(2).dilation({1, 2}).groups(4).bias(false))),
            "Conv2d(4, 8, kernel_size=(3, 1), stride=(2, 2), dilation=(1, 2), groups=4, bias=False)");
  EXPECT_EQ(to_string(Conv2d(Conv2dOptions(1, 1, 3).padding(kSame))), "Conv2d(1, 1, kernel_size=(3, 3), stride=(1, 1), padding=same)");
  EXPECT_EQ(to_string(BatchNorm2d(BatchNorm2dOptions(4).momentum(std::nullopt))),
            "BatchNorm2d(4, eps=1e-05, momentum=None, affine=True, track_running_stats=True)");
  EXPECT_EQ(to_string(LeakyReLU(LeakyReLUOptions().inplace(true))), "LeakyReLU(negative_slope=0.01, inplace=True)");
  EXPECT_EQ(to_string(AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 2}))), "AdaptiveAvgPool2d(output_size=(1, 2))");
  EXPECT_EQ(to_string(AvgPool2d(3)), "AvgPool2d(kernel_size=3, stride=3, padding=0)");
  EXPECT_EQ(to_string(Flatten()), "Flatten(start_dim=1, end_dim=-1)");
  EXPECT_EQ(to_string(Tanh()), "Tanh()");
  EXPECT_EQ(to_string(Linear(2, 3)), "Linear(in_features=2, out_features=3, bias=True)");
  EXPECT_EQ(to_string(Dropout()), "Dropout(p=0.5, inplace=False)");
}

TEST(Conv2d, RefusesOptionsThatDoNotFit) {
  const auto refused = [](const Conv2dOptions& options) { return error_of([&] { Conv2d{options}; }); };
  EXPECT_THAT(refused(Conv2dOptions(3, 4, 1).groups(2)), HasSubstr("in_channels must be positive and divisible by groups, got 3 and 2"));
  EXPECT_THAT(refused(Conv2dOptions(4, 3, 1).groups(2)), HasSubstr("out_channels must be positive and divisible by groups, got 3 and 2"));
  EXPECT_THAT(refused(Conv2dOptions(1, 1, 1).groups(0)), HasSubstr("groups must be a positive integer"));
  EXPECT_THAT(refused(Conv2dOptions(0, 1, 1)), HasSubstr("in_channels must be positive"));
  EXPECT_THAT(refused(Conv2dOptions(1, 1, {3, 0})), HasSubstr("kernel_size must be at least 1"));
  EXPECT_THAT(refused(Conv2dOptions(1, 1, 1).padding(-1)), HasSubstr("padding must be at least 0"));
  EXPECT_THAT(refused(Conv2dOptions(1, 1, 1).padding(kSame).stride(2)), HasSubstr("not supported for strided"));
  EXPECT_THAT(error_of([] { Conv2d{Conv2dOptions(1, 1, 1).padding_mode(kReflect)}; }, ErrorCode::kUnsupported),
              HasSubstr("only padding_mode zeros is implemented"));
  EXPECT_THAT(error_of([] { Conv2d{Conv2dOptions(INT32_MAX, INT32_MAX, INT32_MAX)}; }, ErrorCode::kResourceLimit), HasSubstr(""));
}

TEST(BatchNorm, LearnsStatisticsInTraining) {
  const BatchNorm1d norm(BatchNorm1dOptions(1).momentum(0.5));
  const Tensor y = norm(Tensor::of<float>({4, 1}, {1, 2, 3, 4}));
  EXPECT_EQ(norm->num_batches_tracked.item<int64_t>(), 1);
  EXPECT_FLOAT_EQ(norm->running_mean.item<float>(), 1.25F);
  EXPECT_FLOAT_EQ(norm->running_var.item<float>(), static_cast<float>(0.5 + 0.5 * 5 / 3));
  EXPECT_NEAR(y.values<float>()[0], -1.5 / std::sqrt(1.25 + 1e-5), 1e-5);
  norm->eval();
  norm(Tensor::of<float>({1, 1}, {9}));
  EXPECT_EQ(norm->num_batches_tracked.item<int64_t>(), 1);
  EXPECT_FLOAT_EQ(norm->running_mean.item<float>(), 1.25F);
}

TEST(BatchNorm, RefusesOtherRanks) {
  EXPECT_THAT(error_of([] { BatchNorm2d(2)(Tensor::ones({2, 2, 2})); }), HasSubstr("expected 4D input (got 3D input)"));
  EXPECT_THAT(error_of([] { BatchNorm1d(2)(Tensor::ones({2})); }), HasSubstr("expected 2D or 3D input (got 1D input)"));
  EXPECT_THAT(error_of([] { BatchNorm1d(2)(Tensor::ones({1, 2})); }), HasSubstr("Expected more than 1 value per channel when training"));
}

TEST(Dropout, ActsInTrainingOnly) {
  manual_seed(1);
  const Tensor x = Tensor::ones({10000});
  const Dropout dropout(0.25);
  int64_t zeros = 0;
  const Tensor dropped = dropout(x);
  for (const float y : dropped.values<float>()) {
    zeros += y == 0 ? 1 : 0;
    EXPECT_FLOAT_EQ(y, y == 0 ? 0 : 1 / 0.75F);
  }
  EXPECT_NEAR(static_cast<double>(zeros), 2500, 150);
  dropout->eval();
  EXPECT_EQ(dropout(x).identity(), x.identity());
  EXPECT_THAT(error_of([] { Dropout(1.5); }), HasSubstr("between 0 and 1, but got 1.5"));
  EXPECT_THAT(Dropout(1.0)(Tensor::ones({3})).values<float>(), Each(0));
}

TEST(Layers, InPlaceOverwritesTheArgument) {
  const Tensor x = Tensor::of<float>({2}, {-1, 2});
  EXPECT_EQ(ReLU(true)(x).identity(), x.identity());
  EXPECT_THAT(x.values<float>(), ElementsAre(0, 2));
  static const float kFixed[] = {-1};
  const Tensor fixed = Tensor::view(nullptr, kFixed, {1}, DType::kFloat32);
  EXPECT_THAT(error_of([&] { relu_(fixed); }), HasSubstr("read-only"));
}

TEST(Layers, PixelUnshuffleUndoesPixelShuffle) {
  manual_seed(2);
  const Tensor x = rand({2, 18, 4, 5});
  EXPECT_THAT(PixelUnshuffle(3)(PixelShuffle(3)(x)).values<float>(), ElementsAreArray(x.values<float>()));
}

TEST(Layers, LinearTakesAnyRank) {
  manual_seed(3);
  const Linear linear(3, 2);
  const Tensor x = rand({2, 4, 3});
  const Tensor y = linear(x), rows = linear(x.reshape({8, 3}));
  EXPECT_EQ(y.shape(), (Shape{2, 4, 2}));
  EXPECT_THAT(y.values<float>(), ElementsAreArray(rows.values<float>()));
  EXPECT_EQ(linear(rand({3})).shape(), (Shape{2}));
  EXPECT_THAT(error_of([&] { linear(rand({2, 4})); }), HasSubstr("[2, 4]"));
}

TEST(Layers, SmallSuperResolutionRuns) {
  manual_seed(4);
  const Sequential net{Conv2d(Conv2dOptions(1, 8, 5).padding(2)), ReLU(), Conv2d(Conv2dOptions(8, 9, 3).padding(1)), PixelShuffle(3)};
  net->eval();
  EXPECT_EQ(net(rand({2, 1, 7, 11})).shape(), (Shape{2, 1, 21, 33}));
}

}  // namespace
}  // namespace sardonyx::nn
