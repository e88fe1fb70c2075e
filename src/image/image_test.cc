#include "sardonyx/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "image/test_images.h"

namespace sardonyx::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ImageMode, NamesGoBothWays) {
  for (const ImageMode mode : kAllModes) EXPECT_EQ(image_mode_from_string(to_string(mode)), mode);
  EXPECT_EQ(image_mode_from_string("CMYK"), std::nullopt);
  EXPECT_EQ(to_string(ImageMode::kI16), "I;16");
}

TEST(Image, KnowsItsModeAndRefusesTheWrongSampleType) {
  const Image picture(ImageMode::kRGB16, 3, 2);
  EXPECT_EQ(picture.channels(), 3);
  EXPECT_EQ(picture.samples<uint16_t>().size(), 18u);
  const std::string message = message_of(ErrorCode::kInvalidArgument, [&] { (void)picture.samples<uint8_t>(); });
  EXPECT_THAT(message, HasSubstr("8 bits were asked of an image of mode RGB;16, which has 16"));
}

TEST(Image, RefusesImpossibleSizes) {
  message_of(ErrorCode::kInvalidArgument, [] { Image(ImageMode::kL, 0, 3); });
  message_of(ErrorCode::kInvalidArgument, [] { Image(ImageMode::kL, 3, -1); });
  message_of(ErrorCode::kResourceLimit, [] { Image(ImageMode::kL, Image::kMaxSide + 1, 1); });
  message_of(ErrorCode::kResourceLimit, [] { Image(ImageMode::kL, Image::kMaxSide, Image::kMaxSide); });
}

TEST(Image, EmptyOnesAreRefusedEverywhere) {
  const Image empty;
  for (const auto& body : std::vector<std::function<void()>>{
           [&] { crop(empty, 0, 0, 1, 1); }, [&] { split(empty); }, [&] { convert(empty, ImageMode::kRGB); }, [&] { resize(empty, 2, 2); },
           [&] { to_tensor(empty); }, [&] { encode_png(empty); }, [&] { encode_jpeg(empty); }}) {
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, body), HasSubstr("the image is empty"));
  }
}

TEST(Crop, TakesTheRectangle) {
  const Image picture = of_bytes(ImageMode::kLA, 3, 2, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_THAT(bytes_of(crop(picture, 1, 1, 2, 1)), ElementsAre(8, 9, 10, 11));
  EXPECT_EQ(crop(picture, 0, 0, 3, 2), picture);
  message_of(ErrorCode::kInvalidArgument, [&] { crop(picture, 2, 0, 2, 1); });
  message_of(ErrorCode::kInvalidArgument, [&] { crop(picture, -1, 0, 2, 1); });
  message_of(ErrorCode::kInvalidArgument, [&] { crop(picture, std::numeric_limits<int>::max(), 0, 1, 1); });
}

TEST(Bands, SplitAndMergeAreInverse) {
  for (const ImageMode mode : kAllModes) {
    const Image picture = noise(mode, 5, 4);
    const std::vector<Image> bands = split(picture);
    ASSERT_EQ(bands.size(), static_cast<size_t>(channel_count(mode)));
    EXPECT_EQ(merge(mode, bands), picture) << to_string(mode);
  }
}

TEST(Bands, MergeRefusesWhatDoesNotFit) {
  const std::vector<Image> two(2, Image(ImageMode::kL, 2, 2));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { merge(ImageMode::kRGB, two); }), HasSubstr("2 bands were given, it has 3"));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { merge(ImageMode::kLA16, two); }), HasSubstr("a band has mode L, not I;16"));
  const std::vector<Image> uneven = {Image(ImageMode::kL, 2, 2), Image(ImageMode::kL, 2, 3)};
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { merge(ImageMode::kLA, uneven); }), HasSubstr("differ in size"));
}

// Values that Pillow gives.
TEST(Convert, KnownColours) {
  const Image rgb = of_bytes(ImageMode::kRGB, 5, 1, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 12, 200, 99});
  const Image ycc = convert(rgb, ImageMode::kYCbCr);
  EXPECT_THAT(bytes_of(ycc), ElementsAre(76, 84, 255, 149, 43, 21, 29, 255, 107, 255, 128, 128, 132, 109, 42));
  EXPECT_THAT(bytes_of(convert(ycc, ImageMode::kRGB)), ElementsAre(254, 0, 0, 0, 254, 0, 0, 0, 254, 255, 255, 255, 11, 199, 98));
  EXPECT_THAT(bytes_of(convert(ycc, ImageMode::kL)), ElementsAre(76, 149, 29, 255, 132));
  EXPECT_THAT(bytes_of(convert(rgb, ImageMode::kL)), ElementsAre(76, 150, 29, 255, 132));
}

TEST(Convert, AlphaIsDroppedOrOpaque) {
  const Image rgba = of_bytes(ImageMode::kRGBA, 1, 1, {9, 9, 9, 77});
  EXPECT_THAT(bytes_of(convert(rgba, ImageMode::kRGB)), ElementsAre(9, 9, 9));
  EXPECT_THAT(bytes_of(convert(rgba, ImageMode::kLA)), ElementsAre(9, 77));
  EXPECT_THAT(bytes_of(convert(of_bytes(ImageMode::kL, 1, 1, {5}), ImageMode::kRGBA)), ElementsAre(5, 5, 5, 255));
  EXPECT_THAT(bytes_of(convert(of_bytes(ImageMode::kLA, 1, 1, {5, 6}), ImageMode::kYCbCr)), ElementsAre(5, 128, 128));
  EXPECT_THAT(bytes_of(convert(of_bytes(ImageMode::kYCbCr, 1, 1, {5, 128, 128}), ImageMode::kRGBA)), ElementsAre(5, 5, 5, 255));
}

TEST(Convert, DepthGoesUpAndBackUnchanged) {
  for (const auto& [narrow, wide] : {std::pair{ImageMode::kL, ImageMode::kI16}, std::pair{ImageMode::kLA, ImageMode::kLA16},
                                     std::pair{ImageMode::kRGB, ImageMode::kRGB16}, std::pair{ImageMode::kRGBA, ImageMode::kRGBA16}}) {
    const Image picture = noise(narrow, 7, 5);
    EXPECT_EQ(convert(convert(picture, wide), narrow), picture);
  }
  Image white(ImageMode::kRGB16, 1, 1);
  std::ranges::fill(white.mutable_samples<uint16_t>(), uint16_t{65535});
  EXPECT_EQ(convert(white, ImageMode::kI16).samples<uint16_t>()[0], 65535);
  EXPECT_THAT(bytes_of(convert(white, ImageMode::kYCbCr)), ElementsAre(255, 128, 128));
}

TEST(Convert, EveryPairOfModesGivesTheAskedMode) {
  for (const ImageMode from : kAllModes) {
    for (const ImageMode to : kAllModes) {
      const Image result = convert(noise(from, 3, 2), to);
      EXPECT_EQ(result.mode(), to);
      EXPECT_EQ(result.pixel_count(), 6);
    }
  }
}

TEST(Tensors, HavePlanesFromZeroToOne) {
  const Tensor tensor = to_tensor(of_bytes(ImageMode::kRGB, 2, 1, {0, 51, 255, 1, 2, 3}));
  EXPECT_THAT(tensor.shape(), ElementsAre(3, 1, 2));
  EXPECT_THAT(tensor.values<float>(), ElementsAre(0.0F, 1 / 255.0F, 51 / 255.0F, 2 / 255.0F, 1.0F, 3 / 255.0F));
}

TEST(Tensors, GoThereAndBackUnchangedWithNearest) {
  for (const ImageMode mode : kAllModes) {
    const Image picture = noise(mode, 300, 9);
    EXPECT_EQ(from_tensor(to_tensor(picture), mode, SampleRounding::kNearest), picture) << to_string(mode);
  }
}

TEST(Tensors, ClipAndRoundAsAsked) {
  const Tensor tensor = Tensor::of<float>({1, 1, 1, 5}, {-1.0F, 0.5F, 2.0F, 0.999F, std::numeric_limits<float>::infinity()});
  EXPECT_THAT(bytes_of(from_tensor(tensor, ImageMode::kL, SampleRounding::kTruncate)), ElementsAre(0, 127, 255, 254, 255));
  EXPECT_THAT(bytes_of(from_tensor(tensor, ImageMode::kL, SampleRounding::kNearest)), ElementsAre(0, 128, 255, 255, 255));
}

TEST(Tensors, RefuseWhatIsNoPicture) {
  const auto refuse = [](const Tensor& tensor, ImageMode mode) {
    return message_of(ErrorCode::kInvalidArgument, [&] { from_tensor(tensor, mode, SampleRounding::kNearest); });
  };
  EXPECT_THAT(refuse(Tensor({2, 2}), ImageMode::kL), HasSubstr("expected [C, H, W] or [1, C, H, W]"));
  EXPECT_THAT(refuse(Tensor({2, 1, 4, 4}), ImageMode::kL), HasSubstr("expected [C, H, W]"));
  EXPECT_THAT(refuse(Tensor({1, 4, 4}), ImageMode::kRGB), HasSubstr("mode RGB has 3 channels"));
  EXPECT_THAT(refuse(Tensor({1, 0, 4}), ImageMode::kL), HasSubstr("at least 1"));
  EXPECT_THAT(refuse(Tensor({1, 4, 4}, DType::kUInt8), ImageMode::kL), HasSubstr("not a floating-point type"));
  EXPECT_THAT(refuse(Tensor::of<float>({1, 1, 1}, {std::nanf("")}), ImageMode::kL), HasSubstr("NaN"));
}

}  // namespace
}  // namespace sardonyx::image
