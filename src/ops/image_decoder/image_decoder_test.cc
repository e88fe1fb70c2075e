#include <algorithm>

#include "ops/op_case.h"
#include "sardonyx/image.h"

namespace sardonyx::ops {
namespace {

Tensor stream_of(std::span<const std::byte> bytes) {
  Tensor result = Tensor::empty({static_cast<int64_t>(bytes.size())}, DType::kUInt8);
  std::ranges::transform(bytes, result.mutable_values<uint8_t>().begin(), [](std::byte b) { return std::to_integer<uint8_t>(b); });
  return result;
}

Image two_pixels() {
  Image picture(ImageMode::kRGB, 2, 1);
  const uint8_t samples[] = {10, 20, 30, 200, 100, 0};
  std::ranges::copy(samples, picture.mutable_samples<uint8_t>().begin());
  return picture;
}

std::vector<uint8_t> decoded_as(const std::string& format, const Tensor& stream, const Shape& shape) {
  const Tensor out = OpCase("ImageDecoder", 20).attribute("pixel_format", format).run({stream});
  EXPECT_EQ(out.shape(), shape);
  const auto values = out.values<uint8_t>();
  return {values.begin(), values.end()};
}

TEST(ImageDecoder, GivesTheChannelsThatAreAskedFor) {
  const Tensor stream = stream_of(encode_png(two_pixels()));
  EXPECT_EQ(decoded_as("RGB", stream, {1, 2, 3}), (std::vector<uint8_t>{10, 20, 30, 200, 100, 0}));
  EXPECT_EQ(decoded_as("BGR", stream, {1, 2, 3}), (std::vector<uint8_t>{30, 20, 10, 0, 100, 200}));
  const Image grey = convert(two_pixels(), ImageMode::kL);
  EXPECT_EQ(decoded_as("Grayscale", stream, {1, 2, 1}), (std::vector<uint8_t>{grey.samples<uint8_t>()[0], grey.samples<uint8_t>()[1]}));
}

TEST(ImageDecoder, WhatIsNoPictureGivesAnEmptyOne) {
  std::vector<std::byte> bytes = encode_png(two_pixels());
  bytes.resize(bytes.size() / 2);
  decoded_as("RGB", stream_of(bytes), {0, 0, 3});
  decoded_as("Grayscale", stream_of({}), {0, 0, 1});
}

TEST(ImageDecoder, RefusesOtherFormatsAndTypes) {
  const Tensor stream = stream_of({});
  EXPECT_EQ(OpCase("ImageDecoder", 20).attribute("pixel_format", std::string("CMYK")).error({stream}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("ImageDecoder", 20).error({floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
