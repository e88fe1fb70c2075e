#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "image/test_images.h"
#include "sardonyx/image.h"

namespace sardonyx::image {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Filter kAllFilters[] = {Filter::kNearest, Filter::kBox, Filter::kBilinear, Filter::kHamming, Filter::kBicubic, Filter::kLanczos};

TEST(Resize, NamesOfFilters) {
  for (const Filter filter : kAllFilters) EXPECT_EQ(filter_from_string(to_string(filter)), filter);
  EXPECT_EQ(to_string(Filter::kLanczos), "lanczos");
  EXPECT_EQ(filter_from_string("cubic"), std::nullopt);
}

TEST(Resize, SameSizeIsTheSamePicture) {
  for (const ImageMode mode : kAllModes) {
    const Image picture = noise(mode, 6, 5);
    for (const Filter filter : kAllFilters) EXPECT_EQ(resize(picture, 6, 5, filter), picture);
  }
}

TEST(Resize, ConstantPicturesStayConstant) {
  for (const ImageMode mode : kAllModes) {
    Image picture(mode, 13, 7);
    with_sample_type(mode, [&]<class T>(T) { std::ranges::fill(picture.mutable_samples<T>(), std::numeric_limits<T>::max()); });
    for (const Filter filter : kAllFilters) {
      const Image result = resize(picture, 29, 3, filter);
      with_sample_type(mode, [&]<class T>(T) { EXPECT_THAT(result.samples<T>(), Each(std::numeric_limits<T>::max())); });
    }
  }
}

// Values that Pillow gives for the row 0 255 10 80.
TEST(Resize, KnownRows) {
  const Image row = of_bytes(ImageMode::kL, 4, 1, {0, 255, 10, 80});
  const auto wider = [&](Filter filter) { return bytes_of(resize(row, 7, 1, filter)); };
  EXPECT_THAT(wider(Filter::kNearest), ElementsAre(0, 0, 255, 255, 10, 80, 80));
  EXPECT_THAT(wider(Filter::kBox), ElementsAre(0, 0, 255, 10, 10, 80, 80));
  EXPECT_THAT(wider(Filter::kBilinear), ElementsAre(0, 91, 237, 133, 15, 55, 80));
  EXPECT_THAT(wider(Filter::kHamming), ElementsAre(0, 52, 253, 133, 10, 66, 80));
  EXPECT_THAT(wider(Filter::kBicubic), ElementsAre(0, 86, 251, 144, 6, 50, 86));
  EXPECT_THAT(wider(Filter::kLanczos), ElementsAre(0, 95, 249, 159, 2, 37, 96));
  const auto narrower = [&](Filter filter) { return bytes_of(resize(row, 3, 1, filter)); };
  EXPECT_THAT(narrower(Filter::kNearest), ElementsAre(0, 10, 80));
  EXPECT_THAT(narrower(Filter::kBox), ElementsAre(0, 133, 80));
  EXPECT_THAT(narrower(Filter::kBicubic), ElementsAre(77, 139, 49));
  EXPECT_THAT(narrower(Filter::kLanczos), ElementsAre(87, 144, 35));
}

double kernel(Filter filter, double x) {
  const auto sinc = [](double t) { return t == 0 ? 1.0 : std::sin(std::numbers::pi * t) / (std::numbers::pi * t); };
  const double t = std::abs(x);
  switch (filter) {
    case Filter::kBox:
      return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
    case Filter::kBilinear:
      return std::max(0.0, 1.0 - t);
    case Filter::kHamming:
      return t < 1 ? sinc(t) * (0.54 + 0.46 * std::cos(std::numbers::pi * t)) : 0.0;
    case Filter::kBicubic:
      return t < 1 ? 1.5 * t * t * t - 2.5 * t * t + 1 : t < 2 ? -0.5 * t * t * t + 2.5 * t * t - 4 * t + 2 : 0.0;
    default:
      return t < 3 ? sinc(t) * sinc(t / 3) : 0.0;
  }
}

// The resized row by the definition, over all source samples, without rounding.
std::vector<double> exact_row(std::span<const uint16_t> row, int width, Filter filter) {
  const double scale = static_cast<double>(row.size()) / width;
  const double widening = std::max(scale, 1.0);
  std::vector<double> result;
  for (int i = 0; i < width; ++i) {
    double sum = 0.0, weights = 0.0;
    for (size_t k = 0; k < row.size(); ++k) {
      const double weight = kernel(filter, (static_cast<double>(k) + 0.5 - (i + 0.5) * scale) / widening);
      sum += weight * row[k];
      weights += weight;
    }
    result.push_back(sum / weights);
  }
  return result;
}

TEST(Resize, SixteenBitsAgreeWithTheDefinition) {
  const Image picture = noise(ImageMode::kI16, 41, 1);
  for (const Filter filter : {Filter::kBilinear, Filter::kHamming, Filter::kBicubic, Filter::kLanczos}) {
    for (const int width : {1, 7, 40, 42, 100}) {
      const Image result = resize(picture, width, 1, filter);
      const std::vector<double> exact = exact_row(picture.samples<uint16_t>(), width, filter);
      for (size_t i = 0; i < exact.size(); ++i) {
        EXPECT_NEAR(result.samples<uint16_t>()[i], std::clamp(exact[i], 0.0, 65535.0), 0.51) << to_string(filter) << " " << width;
      }
    }
  }
}

TEST(Resize, WidthAndHeightAreAlike) {
  const Image row = noise(ImageMode::kL, 50, 1);
  Image column(ImageMode::kL, 1, 50);
  std::ranges::copy(row.samples<uint8_t>(), column.mutable_samples<uint8_t>().begin());
  for (const Filter filter : kAllFilters) {
    for (const int size : {3, 49, 77}) EXPECT_EQ(bytes_of(resize(row, size, 1, filter)), bytes_of(resize(column, 1, size, filter)));
  }
}

TEST(Resize, ChannelsDoNotMix) {
  const Image picture = noise(ImageMode::kRGB, 31, 23);
  const std::vector<Image> bands = split(picture);
  for (const Filter filter : kAllFilters) {
    const std::vector<Image> resized = split(resize(picture, 17, 40, filter));
    for (size_t c = 0; c < 3; ++c) EXPECT_EQ(resized[c], resize(bands[c], 17, 40, filter));
  }
}

// Left half opaque and bright, right half transparent and black: where anything is seen, it is bright.
template <class T>
void expect_no_bleeding(ImageMode mode, Filter filter, int tolerance) {
  constexpr T kMax = std::numeric_limits<T>::max();
  Image picture(mode, 16, 1);
  const size_t channels = static_cast<size_t>(picture.channels());
  std::ranges::fill(picture.mutable_samples<T>().first(8 * channels), kMax);
  const Image resized = resize(picture, 37, 1, filter);
  const std::span<const T> samples = resized.samples<T>();
  for (size_t i = 0; i < samples.size(); i += channels) {
    if (samples[i + channels - 1] <= kMax / 8) continue;
    EXPECT_GE(samples[i], kMax - tolerance) << to_string(filter) << " at " << i / channels;
  }
}

TEST(Resize, TransparentColoursDoNotBleed) {
  for (const Filter filter : kAllFilters) {
    expect_no_bleeding<uint8_t>(ImageMode::kLA, filter, 0);
    expect_no_bleeding<uint8_t>(ImageMode::kRGBA, filter, 0);
    expect_no_bleeding<uint16_t>(ImageMode::kLA16, filter, 1);
    expect_no_bleeding<uint16_t>(ImageMode::kRGBA16, filter, 1);
  }
}

TEST(Resize, ExtremeShapes) {
  const Image line = noise(ImageMode::kRGB, Image::kMaxSide, 1);
  for (const Filter filter : kAllFilters) {
    EXPECT_EQ(resize(line, 1, 3, filter).height(), 3);
    EXPECT_EQ(resize(noise(ImageMode::kL, 1, 1), 4097, 1, filter).width(), 4097);
  }
}

TEST(Resize, RefusesImpossibleTargets) {
  const Image picture(ImageMode::kL, 2, 2);
  message_of(ErrorCode::kInvalidArgument, [&] { resize(picture, 0, 5); });
  message_of(ErrorCode::kInvalidArgument, [&] { resize(picture, 5, -5); });
  EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { resize(picture, 1 << 20, 1 << 20); }), HasSubstr("1048576 x 1048576"));
}

}  // namespace
}  // namespace sardonyx::image
