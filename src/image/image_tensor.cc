// Between interleaved integer samples and planes of floats in 0..1.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "image/pixels.h"
#include "sardonyx/image.h"

namespace sardonyx {
namespace {

template <class T>
constexpr float kScale = static_cast<float>(std::numeric_limits<T>::max());

// Channels, height and width of the tensor, or InvalidArgument.
Shape planes_shape(const Tensor& tensor, ImageMode mode) {
  Shape shape = tensor.shape();
  const std::string trail = "from_tensor: a tensor of shape " + to_string(shape) + ": ";
  if (!is_floating_point(tensor.dtype())) {
    throw Error(ErrorCode::kInvalidArgument,
                trail + "its type is " + std::string(to_string(tensor.dtype())) + ", not a floating-point type; values must lie in 0..1");
  }
  if (shape.size() == 4 && shape[0] == 1) shape.erase(shape.begin());
  if (shape.size() != 3) throw Error(ErrorCode::kInvalidArgument, trail + "expected [C, H, W] or [1, C, H, W]");
  if (shape[0] != channel_count(mode)) {
    throw Error(ErrorCode::kInvalidArgument,
                trail + "mode " + std::string(to_string(mode)) + " has " + std::to_string(channel_count(mode)) + " channels");
  }
  image::checked_pixel_count(shape[2], shape[1]);
  return shape;
}

// Scaled and rounded in float32, as numpy and torch do. The half is added in double, where the sum is exact, so that no fused
// multiply-add can part from them.
template <class T>
T sample_of(float value, SampleRounding rounding) {
  float scaled = value * kScale<T>;
  if (rounding == SampleRounding::kNearest) scaled = static_cast<float>(double{scaled} + 0.5);
  return static_cast<T>(std::clamp(scaled, 0.0F, kScale<T>));
}

}  // namespace

Tensor to_tensor(const Image& source) {
  image::expect_pixels(source, "to_tensor");
  Tensor result = Tensor::empty({source.channels(), source.height(), source.width()});
  float* planes = result.mutable_values<float>().data();
  const size_t pixels = static_cast<size_t>(source.pixel_count());
  image::with_sample_type(source.mode(), [&]<class T>(T) {
    image::with_channels(source.channels(), [&](auto constant) {
      constexpr size_t kChannels = constant();
      const T* in = source.samples<T>().data();
      for (size_t i = 0; i < pixels; ++i) {
        for (size_t c = 0; c < kChannels; ++c) planes[c * pixels + i] = static_cast<float>(*in++) / kScale<T>;
      }
    });
  });
  return result;
}

Image from_tensor(const Tensor& tensor, ImageMode mode, SampleRounding rounding) {
  const Shape shape = planes_shape(tensor, mode);
  const Tensor floats = tensor.to(DType::kFloat32);
  const float* in = floats.values<float>().data();
  const float* end = in + floats.numel();
  if (std::any_of(in, end, [](float value) { return std::isnan(value); })) {
    throw Error(ErrorCode::kInvalidArgument, "from_tensor: the tensor has NaN among its values, which no sample can show");
  }
  Image result(mode, static_cast<int>(shape[2]), static_cast<int>(shape[1]));
  const size_t channels = static_cast<size_t>(result.channels());
  image::with_sample_type(mode, [&]<class T>(T) {
    const std::span<T> out = result.mutable_samples<T>();
    for (size_t c = 0; c < channels; ++c) {
      for (size_t i = c; i < out.size(); i += channels) out[i] = sample_of<T>(*in++, rounding);
    }
  });
  return result;
}

}  // namespace sardonyx
