// Resizing: a horizontal and then a vertical pass of weighted sums in fixed point, Pillow's for 8-bit samples and a wider one for 16-bit
// samples, so that the pixels are the same on every machine. Where only one side changes, only that pass runs.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <new>
#include <string>

#include "image/axis_weights.h"
#include "image/pixels.h"
#include "sardonyx/image.h"

namespace sardonyx {
namespace {

constexpr std::array<std::string_view, 6> kFilterNames = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};

// Weights of 22 fractional bits: 8 bits of sample and 2 of headroom (filters overshoot) fill 32 bits.
// Image::kMaxSide keeps the rounding errors of the weights of one window from using up the headroom.
struct FixedPoint {
  using Sample = uint8_t;
  using Weight = int32_t;
  using Sum = int32_t;
  static constexpr int kBits = 22;
  static constexpr Sum kStart = 1 << (kBits - 1);

  static Weight weight(double w) { return static_cast<Weight>((w < 0 ? -0.5 : 0.5) + w * (1 << kBits)); }
  static Sample finish(Sum sum) { return static_cast<Sample>(std::clamp(sum >> kBits, 0, 255)); }
};

// For 16-bit samples, which carry 8 fractional bits and a sign from the first pass to the second.
struct WideFixedPoint {
  using Sample = int32_t;
  using Weight = int64_t;
  using Sum = int64_t;
  static constexpr int kBits = 36;
  static constexpr int kSampleBits = 8;
  static constexpr Sum kStart = int64_t{1} << (kBits - 1);

  static Weight weight(double w) { return std::llround(w * static_cast<double>(int64_t{1} << kBits)); }
  static Sample finish(Sum sum) { return static_cast<Sample>(sum >> kBits); }
};

template <class P>
struct Axis {
  std::vector<image::AxisWeights::Window> windows;
  std::vector<typename P::Weight> weights;
  size_t stride;

  Axis(int in_size, int out_size, Filter filter) {
    image::AxisWeights exact = image::axis_weights(in_size, out_size, filter);
    windows = std::move(exact.windows);
    stride = static_cast<size_t>(exact.stride);
    weights.resize(exact.weights.size());
    std::ranges::transform(exact.weights, weights.begin(), P::weight);
  }
};

template <class P>
struct Raster {
  int width;
  int height;
  int channels;
  std::vector<typename P::Sample> samples;

  Raster(int w, int h, int c) : width(w), height(h), channels(c) {
    samples.resize(static_cast<size_t>(image::checked_pixel_count(w, h)) * static_cast<size_t>(c));
  }
};

template <class P, int kChannels>
void resize_row(const typename P::Sample* in, typename P::Sample* out, const Axis<P>& axis) {
  const typename P::Weight* weights = axis.weights.data();
  for (const auto [first, count] : axis.windows) {
    std::array<typename P::Sum, kChannels> sums;
    sums.fill(P::kStart);
    const typename P::Sample* sample = in + static_cast<size_t>(first) * kChannels;
    for (int k = 0; k < count; ++k, sample += kChannels) {
      for (size_t c = 0; c < kChannels; ++c) sums[c] += sample[c] * weights[k];
    }
    for (const auto sum : sums) *out++ = P::finish(sum);
    weights += axis.stride;
  }
}

template <class P>
Raster<P> resize_horizontally(const typename P::Sample* in, int in_width, int width, int height, int channels, Filter filter) {
  const Axis<P> axis(in_width, width, filter);
  Raster<P> result(width, height, channels);
  const size_t in_stride = static_cast<size_t>(in_width) * static_cast<size_t>(channels);
  const size_t out_stride = static_cast<size_t>(width) * static_cast<size_t>(channels);
  image::with_channels(channels, [&](auto constant) {
    for (size_t y = 0; y < static_cast<size_t>(height); ++y) {
      resize_row<P, constant()>(in + y * in_stride, result.samples.data() + y * out_stride, axis);
    }
  });
  return result;
}

// One output row: the weighted sum of `count` input rows, block by block so that the sums stay in the cache.
template <class P>
void mix_rows(const typename P::Sample* rows, size_t length, int count, const typename P::Weight* weights, typename P::Sample* out) {
  constexpr size_t kBlock = 1024;
  std::array<typename P::Sum, kBlock> sums;
  for (size_t begin = 0; begin < length; begin += kBlock) {
    const size_t size = std::min(kBlock, length - begin);
    std::fill_n(sums.begin(), size, P::kStart);
    const typename P::Sample* in = rows + begin;
    for (int k = 0; k < count; ++k, in += length) {
      const typename P::Weight weight = weights[k];
      for (size_t i = 0; i < size; ++i) sums[i] += in[i] * weight;
    }
    for (size_t i = 0; i < size; ++i) out[begin + i] = P::finish(sums[i]);
  }
}

template <class P>
Raster<P> resize_vertically(const typename P::Sample* in, int width, int in_height, int height, int channels, Filter filter) {
  const Axis<P> axis(in_height, height, filter);
  Raster<P> result(width, height, channels);
  const size_t row = static_cast<size_t>(width) * static_cast<size_t>(channels);
  for (size_t y = 0; y < static_cast<size_t>(height); ++y) {
    const auto [first, count] = axis.windows[y];
    mix_rows<P>(in + static_cast<size_t>(first) * row, row, count, axis.weights.data() + y * axis.stride, result.samples.data() + y * row);
  }
  return result;
}

// At least one of the two sides changes.
template <class P>
std::vector<typename P::Sample> resample(std::span<const typename P::Sample> in, const Image& source, int width, int height,
                                         Filter filter) {
  const int channels = source.channels();
  if (width == source.width()) return resize_vertically<P>(in.data(), width, source.height(), height, channels, filter).samples;
  Raster<P> wide = resize_horizontally<P>(in.data(), source.width(), width, source.height(), channels, filter);
  if (height == source.height()) return std::move(wide.samples);
  return resize_vertically<P>(wide.samples.data(), width, source.height(), height, channels, filter).samples;
}

// a * b / 255, rounded.
uint8_t scaled_by_255th(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return static_cast<uint8_t>(((product >> 8) + product) >> 8);
}

void premultiply(std::span<uint8_t> samples, size_t channels) {
  for (size_t i = 0; i < samples.size(); i += channels) {
    const unsigned alpha = samples[i + channels - 1];
    for (size_t c = 0; c + 1 < channels; ++c) samples[i + c] = scaled_by_255th(samples[i + c], alpha);
  }
}

void unpremultiply(std::span<uint8_t> samples, size_t channels) {
  for (size_t i = 0; i < samples.size(); i += channels) {
    const unsigned alpha = samples[i + channels - 1];
    if (alpha == 0 || alpha == 255) continue;
    for (size_t c = 0; c + 1 < channels; ++c) samples[i + c] = static_cast<uint8_t>(std::min(255U * samples[i + c] / alpha, 255U));
  }
}

Image filter_bytes(const Image& source, int width, int height, Filter filter) {
  Image result(source.mode(), width, height);
  const size_t channels = static_cast<size_t>(source.channels());
  std::span<const uint8_t> in = source.samples<uint8_t>();
  std::vector<uint8_t> premultiplied;
  if (has_alpha(source.mode())) {
    premultiplied.assign(in.begin(), in.end());
    premultiply(premultiplied, channels);
    in = premultiplied;
  }
  const std::vector<uint8_t> filtered = resample<FixedPoint>(in, source, width, height, filter);
  const std::span<uint8_t> out = result.mutable_samples<uint8_t>();
  std::ranges::copy(filtered, out.begin());
  if (has_alpha(source.mode())) unpremultiply(out, channels);
  return result;
}

constexpr int64_t kMax16 = 65535;

// 16-bit samples times alpha, with fractional bits.
void premultiply(std::span<int32_t> samples, size_t channels) {
  for (size_t i = 0; i < samples.size(); i += channels) {
    const int64_t alpha = samples[i + channels - 1] >> WideFixedPoint::kSampleBits;
    for (size_t c = 0; c + 1 < channels; ++c) samples[i + c] = static_cast<int32_t>((samples[i + c] * alpha + kMax16 / 2) / kMax16);
  }
}

// Where alpha rounds to zero there is no colour to bring back.
void unpremultiply(std::span<int32_t> samples, size_t channels) {
  constexpr int32_t kHalf = 1 << (WideFixedPoint::kSampleBits - 1);
  constexpr int64_t kMost = (kMax16 + 1) << WideFixedPoint::kSampleBits;
  for (size_t i = 0; i < samples.size(); i += channels) {
    const int64_t alpha = samples[i + channels - 1];
    if (alpha < kHalf) continue;
    for (size_t c = 0; c + 1 < channels; ++c) {
      const int64_t colour = samples[i + c] * (kMax16 << WideFixedPoint::kSampleBits) / alpha;
      samples[i + c] = static_cast<int32_t>(std::clamp<int64_t>(colour, 0, kMost));
    }
  }
}

Image filter_words(const Image& source, int width, int height, Filter filter) {
  Image result(source.mode(), width, height);
  const size_t channels = static_cast<size_t>(source.channels());
  const std::span<const uint16_t> words = source.samples<uint16_t>();
  std::vector<int32_t> in(words.size());
  std::ranges::transform(words, in.begin(), [](uint16_t word) { return int32_t{word} << WideFixedPoint::kSampleBits; });
  if (has_alpha(source.mode())) premultiply(in, channels);
  std::vector<int32_t> filtered = resample<WideFixedPoint>(in, source, width, height, filter);
  if (has_alpha(source.mode())) unpremultiply(filtered, channels);
  std::ranges::transform(filtered, result.mutable_samples<uint16_t>().begin(), [](int32_t value) {
    constexpr int32_t kHalf = 1 << (WideFixedPoint::kSampleBits - 1);
    return static_cast<uint16_t>(std::clamp((value + kHalf) >> WideFixedPoint::kSampleBits, 0, static_cast<int32_t>(kMax16)));
  });
  return result;
}

template <class T, int kChannels>
void pick_pixels(const Image& source, Image& result) {
  const std::vector<int> columns = image::nearest_sources(source.width(), result.width());
  const std::vector<int> rows = image::nearest_sources(source.height(), result.height());
  const size_t stride = static_cast<size_t>(source.width()) * kChannels;
  T* out = result.mutable_samples<T>().data();
  for (const int y : rows) {
    const T* row = source.samples<T>().data() + static_cast<size_t>(y) * stride;
    for (const int x : columns) {
      const T* pixel = row + static_cast<size_t>(x) * kChannels;
      for (size_t c = 0; c < kChannels; ++c) *out++ = pixel[c];
    }
  }
}

Image pick_nearest(const Image& source, int width, int height) {
  Image result(source.mode(), width, height);
  image::with_sample_type(source.mode(), [&]<class T>(T) {
    image::with_channels(source.channels(), [&](auto constant) { pick_pixels<T, constant()>(source, result); });
  });
  return result;
}

}  // namespace

std::string_view to_string(Filter filter) noexcept { return kFilterNames[static_cast<size_t>(filter)]; }

std::optional<Filter> filter_from_string(std::string_view name) noexcept {
  const auto found = std::ranges::find(kFilterNames, name);
  if (found == kFilterNames.end()) return std::nullopt;
  return static_cast<Filter>(found - kFilterNames.begin());
}

Image resize(const Image& source, int width, int height, Filter filter) {
  image::expect_pixels(source, "resize");
  image::checked_pixel_count(width, height);
  if (width == source.width() && height == source.height()) return source;
  try {
    if (filter == Filter::kNearest) return pick_nearest(source, width, height);
    return sample_bits(source.mode()) == 8 ? filter_bytes(source, width, height, filter) : filter_words(source, width, height, filter);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kResourceLimit,
                "resize to " + std::to_string(width) + " x " + std::to_string(height) + " pixels: the memory for it cannot be had");
  }
}

}  // namespace sardonyx
