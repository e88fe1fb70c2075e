#include "image/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include <cmath>
#include <fstream>

#include "image/orientation.h"
#include "image/test_images.h"

namespace sardonyx::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

void append(Bytes& bytes, std::string_view text) {
  const auto more = std::as_bytes(std::span(text.data(), text.size()));
  bytes.insert(bytes.end(), more.begin(), more.end());
}

std::string big_endian(uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text.push_back(static_cast<char>(value >> shift));
  return text;
}

std::string chunk(std::string_view name, std::string_view data) {
  const std::string body = std::string(name) + std::string(data);
  const uLong checksum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<uint32_t>(data.size())) + body + big_endian(static_cast<uint32_t>(checksum));
}

std::string header_chunk(uint32_t width, uint32_t height, int depth, int colours) {
  std::string data = big_endian(width) + big_endian(height);
  for (const int value : {depth, colours, 0, 0, 0}) data.push_back(static_cast<char>(value));
  return chunk("IHDR", data);
}

std::string deflated(std::string_view raw) {
  std::string out(compressBound(static_cast<uLong>(raw.size())), '\0');
  uLongf size = static_cast<uLongf>(out.size());
  EXPECT_EQ(
      compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(raw.data()), static_cast<uLong>(raw.size())),
      Z_OK);
  out.resize(size);
  return out;
}

Bytes png_of(std::initializer_list<std::string> chunks) {
  Bytes bytes;
  append(bytes, "\x89PNG\r\n\x1a\n");
  for (const std::string& text : chunks) append(bytes, text);
  append(bytes, chunk("IEND", ""));
  return bytes;
}

// A TIFF block with the orientation as its only entry.
std::string exif_block(int orientation, bool big) {
  std::string text =
      big ? std::string("MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0", 19) : std::string("II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0", 18);
  text.push_back(static_cast<char>(orientation));
  return text + std::string(8, '\0');
}

Bytes with_jpeg_orientation(const Bytes& jpeg, int orientation, bool big) {
  const std::string body = std::string("Exif\0\0", 6) + exif_block(orientation, big);
  Bytes result(jpeg.begin(), jpeg.begin() + 2);
  append(result, "\xff\xe1" + big_endian(static_cast<uint32_t>(body.size() + 2)).substr(2) + body);
  result.insert(result.end(), jpeg.begin() + 2, jpeg.end());
  return result;
}

TEST(Png, AllModesComeBack) {
  for (const ImageMode mode : kAllModes) {
    if (mode == ImageMode::kYCbCr) continue;
    for (const int compression : {0, 6, 9}) {
      const Image picture = noise(mode, 37, 19);
      EXPECT_EQ(decode_image(encode_png(picture, {compression})), picture) << to_string(mode);
    }
  }
}

TEST(Png, CutOrDamagedFilesAreRefused) {
  const Bytes bytes = encode_png(noise(ImageMode::kRGBA16, 20, 17));
  expect_prefixes_refused(bytes);
  expect_damage_survived(bytes, 1);
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { decode_image(std::span(bytes).first(bytes.size() / 2)); }),
              AllOf(StartsWith("PNG: "), HasSubstr("cut off")));
}

TEST(Png, SmallDepthsAreSpreadToBytes) {
  // Rows of: filter type 0, then packed samples.
  EXPECT_THAT(bytes_of(decode_image(png_of({header_chunk(3, 1, 1, 0), chunk("IDAT", deflated(std::string("\0\xa0", 2)))}))),
              ElementsAre(255, 0, 255));
  EXPECT_THAT(bytes_of(decode_image(png_of({header_chunk(4, 1, 2, 0), chunk("IDAT", deflated(std::string("\0\x1b", 2)))}))),
              ElementsAre(0, 85, 170, 255));
  EXPECT_THAT(bytes_of(decode_image(png_of({header_chunk(2, 1, 4, 0), chunk("IDAT", deflated(std::string("\0\x4f", 2)))}))),
              ElementsAre(68, 255));
}

TEST(Png, PalettesAndTransparencyAreLookedUp) {
  const std::string header = header_chunk(4, 1, 2, 3);
  const std::string palette = chunk("PLTE", std::string("\1\2\3\4\5\6\7\10\11", 9));
  const std::string pixels = chunk("IDAT", deflated(std::string("\0\x18", 2)));  // 0 1 2 0
  const Image opaque = decode_image(png_of({header, palette, pixels}));
  EXPECT_EQ(opaque.mode(), ImageMode::kRGB);
  EXPECT_THAT(bytes_of(opaque), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3));
  const Image seen_through = decode_image(png_of({header, palette, chunk("tRNS", std::string("\x80\0", 2)), pixels}));
  EXPECT_EQ(seen_through.mode(), ImageMode::kRGBA);
  EXPECT_THAT(bytes_of(seen_through), ElementsAre(1, 2, 3, 128, 4, 5, 6, 0, 7, 8, 9, 255, 1, 2, 3, 128));
  const std::string wild = chunk("IDAT", deflated(std::string("\0\x1b", 2)));  // 0 1 2 3
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument,
                         [&] {
                           decode_image(png_of({header, palette, wild}));
                         }),
              HasSubstr("a pixel has the colour number 3, the palette has 3 colours"));
}

TEST(Png, ATransparentColourBecomesAlpha) {
  const std::string pixels = chunk("IDAT", deflated(std::string("\0\x12\x34\x12\x35", 5)));
  const Image picture = decode_image(png_of({header_chunk(2, 1, 16, 0), chunk("tRNS", std::string("\x12\x34", 2)), pixels}));
  EXPECT_EQ(picture.mode(), ImageMode::kLA16);
  EXPECT_THAT(picture.samples<uint16_t>(), ElementsAre(0x1234, 0, 0x1235, 65535));
}

TEST(Png, InterlacedFilesAreWovenTogether) {
  const Image picture = noise(ImageMode::kRGB, 21, 13);
  Bytes bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  const auto collect = [](png_structp writer, png_bytep data, size_t size) {
    append(*static_cast<Bytes*>(png_get_io_ptr(writer)), {reinterpret_cast<const char*>(data), size});
  };
  png_set_write_fn(png, &bytes, collect, nullptr);
  png_set_IHDR(png, info, 21, 13, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_ADAM7, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_bytep> rows;
  for (size_t y = 0; y < 13; ++y) rows.push_back(const_cast<png_bytep>(picture.samples<uint8_t>().data() + y * 63));
  png_set_rows(png, info, rows.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  EXPECT_EQ(decode_image(bytes), picture);
  expect_prefixes_refused(bytes);
}

TEST(Png, PromisesBeyondTheLimitsAreRefusedAtTheHeader) {
  const std::string pixels = chunk("IDAT", deflated(std::string(100, '\0')));
  const auto refuse = [&](ErrorCode code, uint32_t width, uint32_t height) {
    return message_of(code, [&] { decode_image(png_of({header_chunk(width, height, 8, 6), pixels})); });
  };
  EXPECT_THAT(refuse(ErrorCode::kResourceLimit, 40'000, 40'000), HasSubstr("ImageLimits::max_pixels"));
  EXPECT_THAT(refuse(ErrorCode::kResourceLimit, 0x7fffffff, 0x7fffffff), HasSubstr("are possible"));
  EXPECT_THAT(refuse(ErrorCode::kInvalidArgument, 13'000, 13'000), HasSubstr("bytes cannot hold"));
  EXPECT_THAT(refuse(ErrorCode::kInvalidArgument, 0, 5), StartsWith("PNG: "));
  DecodeOptions tight;
  tight.limits.max_bytes = 399;
  EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { decode_image(encode_png(noise(ImageMode::kRGBA, 10, 10)), tight); }),
              HasSubstr("10 x 10 pixels in 400 bytes, the limit is 399"));
  tight.limits.max_bytes = 400;
  EXPECT_EQ(decode_image(encode_png(noise(ImageMode::kRGBA, 10, 10)), tight).width(), 10);
}

TEST(Png, AChunkLongerThanTheFileTakesNoMemory) {
  Bytes bytes;
  append(bytes, "\x89PNG\r\n\x1a\n" + header_chunk(1, 1, 8, 0) + big_endian(0x70000000) + "eXIfMM");
  message_of(ErrorCode::kInvalidArgument, [&] { decode_image(bytes); });
}

TEST(Png, RefusesToEncodeWhatItCannotHold) {
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [] { encode_png(Image(ImageMode::kYCbCr, 1, 1)); }), HasSubstr("to RGB first"));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [] { encode_png(Image(ImageMode::kL, 1, 1), {10}); }), HasSubstr("0..9"));
}

int worst_difference(const Image& a, const Image& b) {
  int worst = 0;
  for (size_t i = 0; i < a.samples<uint8_t>().size(); ++i) {
    worst = std::max(worst, std::abs(a.samples<uint8_t>()[i] - b.samples<uint8_t>()[i]));
  }
  return worst;
}

TEST(Jpeg, SmoothPicturesComeBackNearly) {
  for (const ImageMode mode : {ImageMode::kL, ImageMode::kRGB, ImageMode::kYCbCr}) {
    const Image picture = convert(slopes(ImageMode::kRGB, 61, 45), mode);
    for (const auto subsampling : {ChromaSubsampling::k444, ChromaSubsampling::k422, ChromaSubsampling::k420}) {
      for (const bool progressive : {false, true}) {
        const Image decoded = decode_image(encode_jpeg(picture, {95, subsampling, progressive}));
        EXPECT_EQ(decoded.mode(), mode == ImageMode::kL ? ImageMode::kL : ImageMode::kRGB);
        EXPECT_LE(worst_difference(convert(decoded, mode), picture), 8);
      }
    }
  }
}

TEST(Jpeg, CutOrDamagedFilesAreRefused) {
  for (const bool progressive : {false, true}) {
    const Bytes bytes = encode_jpeg(noise(ImageMode::kRGB, 50, 40), {80, ChromaSubsampling::k420, progressive});
    expect_prefixes_refused(bytes);
    expect_damage_survived(bytes, 2);
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { decode_image(std::span(bytes).first(bytes.size() - 40)); }),
                AllOf(StartsWith("JPEG: "), HasSubstr("Premature end")));
  }
}

TEST(Jpeg, LimitsHold) {
  const Bytes bytes = encode_jpeg(noise(ImageMode::kRGB, 64, 64), {75, ChromaSubsampling::k444, true});
  DecodeOptions options;
  options.limits.max_scans = 3;
  EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { decode_image(bytes, options); }), HasSubstr("more than 3 scans"));
  options = {};
  options.limits.max_pixels = 4095;
  EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { decode_image(bytes, options); }), HasSubstr("64 x 64 pixels, the limit is 4095"));
  options = {};
  options.limits.max_bytes = 64 * 64 * 3;  // the samples, but not the coefficients
  message_of(ErrorCode::kResourceLimit, [&] { decode_image(bytes, options); });
  options.limits.max_bytes = 1'000'000;
  EXPECT_EQ(decode_image(bytes, options).width(), 64);
}

TEST(Jpeg, APromisedGiantInASmallFileIsRefusedAtTheHeader) {
  Bytes bytes = encode_jpeg(Image(ImageMode::kRGB, 8, 8));
  for (size_t i = 0; i + 8 < bytes.size(); ++i) {
    if (bytes[i] != std::byte{0xff} || bytes[i + 1] != std::byte{0xc0}) continue;
    for (size_t k = 5; k < 9; ++k) bytes[i + k] = std::byte{0x30};  // 12336 x 12336
  }
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { decode_image(bytes); }), HasSubstr("12336 x 12336 pixels"));
}

TEST(Jpeg, RefusesToEncodeWhatItCannotHold) {
  for (const ImageMode mode : {ImageMode::kLA, ImageMode::kRGBA, ImageMode::kI16, ImageMode::kRGB16}) {
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { encode_jpeg(Image(mode, 1, 1)); }),
                AllOf(HasSubstr("JPEG cannot hold mode " + std::string(to_string(mode))), HasSubstr("write a PNG")));
  }
  for (const int quality : {0, 101}) {
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { encode_jpeg(Image(ImageMode::kL, 1, 1), {quality}); }), HasSubstr("1..100"));
  }
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [] { encode_jpeg(Image(ImageMode::kL, 70'000, 1)); }), HasSubstr("65500"));
}

// The picture ab/cd/ef under each orientation.
constexpr std::string_view kUpright[] = {"abcdef", "badcfe", "fedcba", "efcdab", "acebdf", "ecafdb", "fdbeca", "bdface"};

TEST(Orientation, TurnsAsExifSays) {
  const Image stored = of_bytes(ImageMode::kL, 2, 3, {'a', 'b', 'c', 'd', 'e', 'f'});
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image upright = turned_upright(stored, orientation);
    EXPECT_EQ(upright.width(), orientation < 5 ? 2 : 3);
    const std::vector<int> bytes = bytes_of(upright);
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()), kUpright[orientation - 1]) << orientation;
  }
}

TEST(Orientation, IsFoundInJpegAndPng) {
  const Image picture = slopes(ImageMode::kL, 24, 16);
  const Bytes jpeg = encode_jpeg(picture);
  const Image stored = decode_image(jpeg);
  DecodeOptions as_stored;
  as_stored.apply_orientation = false;
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big : {false, true}) {
      const Bytes turned = with_jpeg_orientation(jpeg, orientation, big);
      EXPECT_EQ(decode_image(turned), turned_upright(stored, orientation));
      EXPECT_EQ(decode_image(turned, as_stored), stored);
      const Bytes png = png_of(
          {header_chunk(2, 1, 8, 0), chunk("eXIf", exif_block(orientation, big)), chunk("IDAT", deflated(std::string("\0\1\2", 3)))});
      EXPECT_EQ(decode_image(png), turned_upright(of_bytes(ImageMode::kL, 2, 1, {1, 2}), orientation));
    }
  }
}

TEST(Orientation, UnreadableExifIsNone) {
  const std::string good = exif_block(6, false);
  const auto orientation = [](std::string_view text) { return exif_orientation(std::as_bytes(std::span(text.data(), text.size()))); };
  EXPECT_EQ(orientation(good), 6);
  for (size_t size = 0; size < 18; ++size) EXPECT_EQ(orientation(std::string_view(good).substr(0, size)), 1);
  EXPECT_EQ(orientation(exif_block(9, true)), 1);
  EXPECT_EQ(orientation(exif_block(0, true)), 1);
  EXPECT_EQ(orientation(std::string("II*\0\xff\xff\xff\xff", 8)), 1);
  EXPECT_EQ(orientation("neither order"), 1);
}

TEST(Files, AreWrittenAndReadByPath) {
  const std::filesystem::path folder = testing::TempDir();
  const Image picture = slopes(ImageMode::kRGB, 30, 20);
  write_image(folder / "picture.PNG", picture);
  EXPECT_EQ(read_image(folder / "picture.PNG"), picture);
  WriteOptions options;
  options.jpeg.quality = 90;
  write_image(folder / "picture.jpeg", picture, options);
  EXPECT_EQ(read_image(folder / "picture.jpeg"), decode_image(encode_jpeg(picture, options.jpeg)));
  std::filesystem::rename(folder / "picture.PNG", folder / "misnamed.jpg");
  EXPECT_EQ(read_image(folder / "misnamed.jpg"), picture);
}

TEST(Files, ErrorsNameThePathAndTheCure) {
  const std::filesystem::path folder = testing::TempDir();
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { write_image(folder / "a.gif", Image(ImageMode::kL, 1, 1)); }),
              AllOf(HasSubstr("a.gif: "), HasSubstr("use .png, .jpg or .jpeg")));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { write_image(folder / "alpha.jpg", Image(ImageMode::kRGBA, 1, 1)); }),
              AllOf(HasSubstr("alpha.jpg: "), HasSubstr("convert() the image to RGB")));
  EXPECT_FALSE(std::filesystem::exists(folder / "alpha.jpg"));
  message_of(ErrorCode::kIo, [&] { write_image(folder / "no such folder" / "a.png", Image(ImageMode::kL, 1, 1)); });
  EXPECT_THAT(message_of(ErrorCode::kIo, [&] { read_image(folder / "absent.png"); }), HasSubstr("absent.png"));
  std::ofstream(folder / "picture.png") << "GIF89a...";
  EXPECT_THAT(
      message_of(ErrorCode::kInvalidArgument, [&] { read_image(folder / "picture.png"); }),
      AllOf(HasSubstr(
          "picture.png: not a picture of a known format (JPEG, PNG, BMP, TIFF, WebP, JPEG 2000, PNM): it looks like a GIF: convert it")));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [] { decode_image({}); }), HasSubstr("it is empty"));
}

}  // namespace
}  // namespace sardonyx::image
