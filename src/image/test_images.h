// Pictures and expectations that the tests of this folder share.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/expect_error.h"
#include "image/pixels.h"
#include "sardonyx/image.h"

namespace sardonyx::image {

inline constexpr ImageMode kAllModes[] = {ImageMode::kL,   ImageMode::kLA,   ImageMode::kRGB,   ImageMode::kRGBA,  ImageMode::kYCbCr,
                                          ImageMode::kI16, ImageMode::kLA16, ImageMode::kRGB16, ImageMode::kRGBA16};

inline Image noise(ImageMode mode, int width, int height, unsigned seed = 1) {
  Image result(mode, width, height);
  std::mt19937 random(seed);
  with_sample_type(mode, [&]<class T>(T) {
    for (T& sample : result.mutable_samples<T>()) sample = static_cast<T>(random());
  });
  return result;
}

// Slow slopes, which JPEG keeps nearly.
inline Image slopes(ImageMode mode, int width, int height) {
  Image result(mode, width, height);
  uint8_t* out = result.mutable_samples<uint8_t>().data();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < result.channels(); ++c) *out++ = static_cast<uint8_t>(std::min(255, 40 * c + x + y / 2));
    }
  }
  return result;
}

inline Image of_bytes(ImageMode mode, int width, int height, const std::vector<int>& values) {
  Image result(mode, width, height);
  const std::span<uint8_t> samples = result.mutable_samples<uint8_t>();
  EXPECT_EQ(samples.size(), values.size());
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<uint8_t>(values.at(i));
  return result;
}

inline std::vector<int> bytes_of(const Image& picture) {
  const std::span<const uint8_t> samples = picture.samples<uint8_t>();
  return {samples.begin(), samples.end()};
}

using Bytes = std::vector<std::byte>;

// Every prefix is refused; the lengths step by 50 and, near the end, by 1.
inline void expect_prefixes_refused(const Bytes& bytes) {
  for (size_t size = 0; size<bytes.size(); size += bytes.size() - size> 60 ? 50 : 1) {
    message_of(ErrorCode::kInvalidArgument, [&] { decode_image(std::span(bytes).first(size)); });
  }
}

// Damaged copies give an Error or a picture.
inline void expect_damage_survived(const Bytes& bytes, unsigned seed) {
  std::mt19937 random(seed);
  DecodeOptions options;
  options.limits.max_pixels = 1'000'000;
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    Bytes damaged = bytes;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<std::byte>(random());
    try {
      EXPECT_FALSE(decode_image(damaged, options).empty());
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace sardonyx::image
