// Options of the layers, set fluently: Conv2dOptions(1, 64, 5).padding(2).bias(false). Names and defaults are PyTorch's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sardonyx::nn {

// One number for both spatial axes, or {height, width}; {} where an option may be left out.
class Size2d {
 public:
  constexpr Size2d() = default;
  constexpr Size2d(int64_t both) : h(both), w(both), given(true), single(true) {}  // NOLINT: sizes read as 3
  constexpr Size2d(int64_t height, int64_t width) : h(height), w(width), given(true) {}
  constexpr Size2d value_or(const Size2d& other) const { return given ? *this : other; }
  friend constexpr bool operator==(const Size2d& a, const Size2d& b) { return a.h == b.h && a.w == b.w && a.given == b.given; }

  int64_t h = 0, w = 0;
  bool given = false;
  bool single = false;  // given as one number: printed as one
};

enum class PaddingPolicy { kExplicit, kSame, kValid };
inline constexpr PaddingPolicy kSame = PaddingPolicy::kSame;    // output as large as the input; stride 1 only
inline constexpr PaddingPolicy kValid = PaddingPolicy::kValid;  // none

// Padding of a convolution: numbers, kSame or kValid.
class Padding2d {
 public:
  constexpr Padding2d(int64_t both) : size(both) {}  // NOLINT
  constexpr Padding2d(int64_t height, int64_t width) : size(height, width) {}
  constexpr Padding2d(Size2d both) : size(both) {}                         // NOLINT
  constexpr Padding2d(PaddingPolicy given) : size(0, 0), policy(given) {}  // NOLINT

  Size2d size;
  PaddingPolicy policy = PaddingPolicy::kExplicit;
};

enum class PaddingMode { kZeros, kReflect, kReplicate, kCircular };
inline constexpr PaddingMode kZeros = PaddingMode::kZeros;
inline constexpr PaddingMode kReflect = PaddingMode::kReflect;
inline constexpr PaddingMode kReplicate = PaddingMode::kReplicate;
inline constexpr PaddingMode kCircular = PaddingMode::kCircular;

// One option: name() reads it, name(value) sets it and returns the options.
#define SARDONYX_OPTION(Type, name, ...)                \
 private:                                               \
  Type name##_{__VA_ARGS__};                            \
                                                        \
 public:                                                \
  const Type& name() const noexcept { return name##_; } \
  auto name(Type value)->decltype(*this) { return name##_ = value, *this; }

class Conv2dOptions {
 public:
  Conv2dOptions(int64_t in_channels, int64_t out_channels, Size2d kernel_size)
      : in_channels_(in_channels), out_channels_(out_channels), kernel_size_(kernel_size) {}
  SARDONYX_OPTION(int64_t, in_channels, 0)
  SARDONYX_OPTION(int64_t, out_channels, 0)
  SARDONYX_OPTION(Size2d, kernel_size, 0)
  SARDONYX_OPTION(Size2d, stride, 1)
  SARDONYX_OPTION(Padding2d, padding, 0)
  SARDONYX_OPTION(Size2d, dilation, 1)
  SARDONYX_OPTION(int64_t, groups, 1)
  SARDONYX_OPTION(bool, bias, true)
  SARDONYX_OPTION(PaddingMode, padding_mode, PaddingMode::kZeros)  // only kZeros is implemented
};

class LinearOptions {
 public:
  LinearOptions(int64_t in_features, int64_t out_features) : in_features_(in_features), out_features_(out_features) {}
  SARDONYX_OPTION(int64_t, in_features, 0)
  SARDONYX_OPTION(int64_t, out_features, 0)
  SARDONYX_OPTION(bool, bias, true)
};

// For BatchNorm1d and BatchNorm2d.
class BatchNormOptions {
 public:
  BatchNormOptions(int64_t num_features) : num_features_(num_features) {}  // NOLINT: BatchNorm2d(64)
  SARDONYX_OPTION(int64_t, num_features, 0)
  SARDONYX_OPTION(double, eps, 1e-5)
  SARDONYX_OPTION(std::optional<double>, momentum, 0.1)  // nullopt: cumulative average
  SARDONYX_OPTION(bool, affine, true)
  SARDONYX_OPTION(bool, track_running_stats, true)
};
using BatchNorm1dOptions = BatchNormOptions;
using BatchNorm2dOptions = BatchNormOptions;

class ReLUOptions {
 public:
  ReLUOptions(bool inplace = false) : inplace_(inplace) {}  // NOLINT: ReLU(true)
  SARDONYX_OPTION(bool, inplace, false)                     // overwrites its argument
};

class LeakyReLUOptions {
 public:
  LeakyReLUOptions() = default;
  SARDONYX_OPTION(double, negative_slope, 1e-2)
  SARDONYX_OPTION(bool, inplace, false)
};

class SoftmaxOptions {
 public:
  SoftmaxOptions(int64_t dim) : dim_(dim) {}  // NOLINT: Softmax(1)
  SARDONYX_OPTION(int64_t, dim, 0)
};

class DropoutOptions {
 public:
  DropoutOptions(double p = 0.5) : p_(p) {}  // NOLINT: Dropout(0.5)
  SARDONYX_OPTION(double, p, 0.5)
  SARDONYX_OPTION(bool, inplace, false)
};

class PixelShuffleOptions {
 public:
  PixelShuffleOptions(int64_t upscale_factor) : upscale_factor_(upscale_factor) {}  // NOLINT: PixelShuffle(3)
  SARDONYX_OPTION(int64_t, upscale_factor, 1)
};

class PixelUnshuffleOptions {
 public:
  PixelUnshuffleOptions(int64_t downscale_factor) : downscale_factor_(downscale_factor) {}  // NOLINT: PixelUnshuffle(3)
  SARDONYX_OPTION(int64_t, downscale_factor, 1)
};

class MaxPool2dOptions {
 public:
  MaxPool2dOptions(Size2d kernel_size) : kernel_size_(kernel_size) {}               // NOLINT: MaxPool2d(2)
  MaxPool2dOptions(int64_t kernel_size) : MaxPool2dOptions(Size2d(kernel_size)) {}  // NOLINT
  SARDONYX_OPTION(Size2d, kernel_size, 0)
  SARDONYX_OPTION(Size2d, stride)  // {}: kernel_size
  SARDONYX_OPTION(Size2d, padding, 0)
  SARDONYX_OPTION(Size2d, dilation, 1)
  SARDONYX_OPTION(bool, ceil_mode, false)
};

class AvgPool2dOptions {
 public:
  AvgPool2dOptions(Size2d kernel_size) : kernel_size_(kernel_size) {}               // NOLINT: AvgPool2d(2)
  AvgPool2dOptions(int64_t kernel_size) : AvgPool2dOptions(Size2d(kernel_size)) {}  // NOLINT
  SARDONYX_OPTION(Size2d, kernel_size, 0)
  SARDONYX_OPTION(Size2d, stride)  // {}: kernel_size
  SARDONYX_OPTION(Size2d, padding, 0)
  SARDONYX_OPTION(bool, ceil_mode, false)
  SARDONYX_OPTION(bool, count_include_pad, true)
  SARDONYX_OPTION(std::optional<int64_t>, divisor_override, std::nullopt)
};

class AdaptiveAvgPool2dOptions {
 public:
  AdaptiveAvgPool2dOptions(Size2d output_size) : output_size_(output_size) {}                       // NOLINT: AdaptiveAvgPool2d(1)
  AdaptiveAvgPool2dOptions(int64_t output_size) : AdaptiveAvgPool2dOptions(Size2d(output_size)) {}  // NOLINT
  SARDONYX_OPTION(Size2d, output_size, 1)
};

class FlattenOptions {
 public:
  FlattenOptions() = default;
  SARDONYX_OPTION(int64_t, start_dim, 1)
  SARDONYX_OPTION(int64_t, end_dim, -1)
};

#undef SARDONYX_OPTION

}  // namespace sardonyx::nn
