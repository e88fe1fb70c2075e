// The formats that are read only: BMP, PNM, WebP, TIFF, JPEG 2000.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openjpeg.h>
#include <tiffio.h>
#include <webp/encode.h>

#include <filesystem>
#include <fstream>

#include "image/test_images.h"

namespace sardonyx::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Bytes bytes_from(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

Bytes file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return bytes_from(std::string(std::istreambuf_iterator<char>(file), {}));
}

Image decoded(std::string_view text) { return decode_image(bytes_from(text)); }
std::string refused(std::string_view text, ErrorCode code = ErrorCode::kInvalidArgument) {
  return message_of(code, [&] { decoded(text); });
}

std::string little(uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text.push_back(static_cast<char>(value));
  return text;
}

struct BmpCase {
  int width = 1, height = 1;
  uint32_t bits = 24, compression = 0, colours = 0;
  std::string after_header = {};  // masks, palette
  std::string pixels = {};

  std::string file() const {
    const std::string header = little(40, 4) + little(static_cast<uint32_t>(width), 4) + little(static_cast<uint32_t>(height), 4) +
                               little(1, 2) + little(bits, 2) + little(compression, 4) + little(0, 12) + little(colours, 4) + little(0, 4);
    const uint32_t start = static_cast<uint32_t>(14 + header.size() + after_header.size());
    return "BM" + little(0, 8) + little(start, 4) + header + after_header + pixels;
  }
};

TEST(Bmp, RowsGoUpUnlessTheHeightIsNegative) {
  BmpCase c{.width = 1, .height = 2, .pixels = std::string("\3\2\1\0\6\5\4\0", 8)};
  EXPECT_EQ(decoded(c.file()), of_bytes(ImageMode::kRGB, 1, 2, {4, 5, 6, 1, 2, 3}));
  c.height = -2;
  EXPECT_EQ(decoded(c.file()), of_bytes(ImageMode::kRGB, 1, 2, {1, 2, 3, 4, 5, 6}));
}

TEST(Bmp, PalettesAreLookedUp) {
  BmpCase c{
      .width = 3, .bits = 1, .colours = 2, .after_header = std::string("\0\0\0\0\1\2\3\0", 8), .pixels = std::string("\x40\0\0\0", 4)};
  EXPECT_EQ(decoded(c.file()), of_bytes(ImageMode::kRGB, 3, 1, {0, 0, 0, 3, 2, 1, 0, 0, 0}));
  c.after_header = std::string("\7\7\7\0\x9\x9\x9\0", 8);
  EXPECT_EQ(decoded(c.file()), of_bytes(ImageMode::kL, 3, 1, {7, 9, 7}));
  c.bits = 4;
  c.pixels = std::string("\x12\0\0\0", 4);
  EXPECT_THAT(refused(c.file()), HasSubstr("colour number 2, the palette has 2"));
}

TEST(Bmp, RunsAreUnrolled) {
  const std::string palette("\0\0\0\0\1\1\1\0\2\2\2\0", 12);
  // Two of colour 1; end of the row; three as they are, padded; end of the picture.
  BmpCase c{.width = 3,
            .height = 2,
            .bits = 8,
            .compression = 1,
            .colours = 3,
            .after_header = palette,
            .pixels = std::string("\2\1\0\0\0\3\2\1\0\0\0\1", 12)};
  EXPECT_EQ(decoded(c.file()), of_bytes(ImageMode::kL, 3, 2, {2, 1, 0, 1, 1, 0}));
  c.pixels = std::string("\2\1", 2);
  EXPECT_THAT(refused(c.file()), HasSubstr("cut off"));
  c.bits = 4;
  c.compression = 2;
  c.pixels = std::string("\3\x12\0\0\0\2\1\0\1\2\0\1", 12);  // colours 1 2 1; next row; a step by (1, 0); one of 0; end
  EXPECT_EQ(decoded(c.file()), of_bytes(ImageMode::kL, 3, 2, {0, 0, 0, 1, 2, 1}));
}

TEST(Bmp, MasksOfAnyWidthAreSpreadToBytes) {
  BmpCase c{.width = 2,
            .bits = 16,
            .compression = 3,
            .after_header = little(0xf800, 4) + little(0x07e0, 4) + little(0x001f, 4),
            .pixels = little(0xffff, 2) + little(0x0801, 2)};
  EXPECT_EQ(decoded(c.file()), of_bytes(ImageMode::kRGB, 2, 1, {255, 255, 255, 8, 0, 8}));
  c.after_header = little(0xf801, 4) + little(0, 8);
  EXPECT_THAT(refused(c.file()), HasSubstr("holes"));
  c.compression = 0;
  c.after_header.clear();
  c.pixels = little(0x7fff, 2) + little(0x0400, 2);
  EXPECT_EQ(decoded(c.file()), of_bytes(ImageMode::kRGB, 2, 1, {255, 255, 255, 8, 0, 0}));
}

TEST(Bmp, CutOrHostileFilesAreRefused) {
  const std::string file = BmpCase{.width = 4, .height = 20, .pixels = std::string(240, 'x')}.file();
  expect_prefixes_refused(bytes_from(file));
  expect_damage_survived(bytes_from(file.substr(0, 60)), 3);
  EXPECT_THAT(refused(BmpCase{.width = 20000, .height = 20000}.file(), ErrorCode::kResourceLimit), HasSubstr("max_pixels"));
  EXPECT_THAT(refused(BmpCase{.width = 10000, .height = 10000}.file()), HasSubstr("bytes cannot hold"));
  EXPECT_THAT(refused(BmpCase{.width = -1}.file()), HasSubstr("BMP: "));
  EXPECT_THAT(refused(BmpCase{.bits = 7}.file(), ErrorCode::kUnsupported), HasSubstr("7 bits per pixel"));
  EXPECT_THAT(refused(BmpCase{.compression = 4}.file(), ErrorCode::kUnsupported), HasSubstr("compression 4"));
}

TEST(Pnm, AllKindsAreRead) {
  EXPECT_EQ(decoded("P1\n# a comment\n3 1\n10 1"), of_bytes(ImageMode::kL, 3, 1, {0, 255, 0}));
  EXPECT_EQ(decoded("P2 2 1 15\n0 15\n"), of_bytes(ImageMode::kL, 2, 1, {0, 255}));
  EXPECT_EQ(decoded("P3 1 1 255 1 2 3"), of_bytes(ImageMode::kRGB, 1, 1, {1, 2, 3}));
  EXPECT_EQ(decoded("P4\n9 1\n\x80\x80"), of_bytes(ImageMode::kL, 9, 1, {0, 255, 255, 255, 255, 255, 255, 255, 0}));
  EXPECT_EQ(decoded("P5 2 1 255\nab"), of_bytes(ImageMode::kL, 2, 1, {'a', 'b'}));
  EXPECT_EQ(decoded("P6 1 1 255\nabc"), of_bytes(ImageMode::kRGB, 1, 1, {'a', 'b', 'c'}));
  EXPECT_EQ(decoded("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\nabcd"),
            of_bytes(ImageMode::kRGBA, 1, 1, {'a', 'b', 'c', 'd'}));
  const Image wide = decoded(std::string("P5 2 1 511\n\1\xff\0\0", 15));
  EXPECT_EQ(wide.mode(), ImageMode::kI16);
  EXPECT_THAT(wide.samples<uint16_t>(), ElementsAre(65535, 0));
}

TEST(Pnm, CutOrHostileFilesAreRefused) {
  expect_prefixes_refused(bytes_from("P6\n# a comment\n3 2 255\nabcdefghijklmnopqr"));
  expect_damage_survived(bytes_from("P6\n3 2 255\nabcdefghijklmnopqr"), 4);
  EXPECT_THAT(refused("P5 99999999999 1 255\nab"), HasSubstr("the width is '99999999999'"));
  EXPECT_THAT(refused("P5 10000 10000 255\nab"), HasSubstr("bytes cannot hold"));
  EXPECT_THAT(refused("P2 1 1 3 4"), HasSubstr("a sample is '4'"));
  EXPECT_THAT(refused("P5 1 1 0 4"), HasSubstr("no bit"));
  EXPECT_THAT(refused("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 5\nENDHDR\n"), HasSubstr("DEPTH is '5'"));
  EXPECT_THAT(refused("P1 1 1 2"), HasSubstr("neither 0 nor 1"));
}

Bytes webp_of(const Image& picture) {
  uint8_t* encoded = nullptr;
  const uint8_t* samples = picture.samples<uint8_t>().data();
  const auto encode = picture.channels() == 4 ? WebPEncodeLosslessRGBA : WebPEncodeLosslessRGB;
  const size_t size = encode(samples, picture.width(), picture.height(), picture.width() * picture.channels(), &encoded);
  const auto bytes = std::as_bytes(std::span(encoded, size));
  Bytes result(bytes.begin(), bytes.end());
  WebPFree(encoded);
  return result;
}

TEST(WebP, LosslessPicturesComeBack) {
  for (const ImageMode mode : {ImageMode::kRGB, ImageMode::kRGBA}) {
    Image picture = noise(mode, 23, 11);
    if (mode == ImageMode::kRGBA) {
      for (size_t i = 3; i < picture.samples<uint8_t>().size(); i += 4)
        picture.mutable_samples<uint8_t>()[i] |= 1;  // hidden colours are not kept
    }
    const Bytes bytes = webp_of(picture);
    EXPECT_EQ(decode_image(bytes), picture);
    expect_prefixes_refused(bytes);
    expect_damage_survived(bytes, 5);
    DecodeOptions options;
    options.limits.max_pixels = 200;
    EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { decode_image(bytes, options); }), HasSubstr("WebP: "));
  }
}

struct TiffCase {
  uint16_t compression = COMPRESSION_NONE, planar = PLANARCONFIG_CONTIG, orientation = 1, extra = EXTRASAMPLE_UNASSALPHA;
  bool tiled = false;
};

Bytes tiff_of(const Image& picture, const TiffCase& c = {}) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "picture.tif";
  TIFF* tiff = TIFFOpen(path.c_str(), "w");
  const int channels = picture.channels();
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, picture.width());
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, picture.height());
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, sample_bits(picture.mode()));
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, channels);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, channels >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, c.planar);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, c.compression);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, c.orientation);
  if (has_alpha(picture.mode())) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &c.extra);
  with_sample_type(picture.mode(), [&]<class T>(T) {
    std::vector<T> samples(picture.samples<T>().begin(), picture.samples<T>().end());
    const size_t stride = static_cast<size_t>(picture.width() * channels);
    if (c.tiled) {
      TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
      TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
      TIFFWriteTile(tiff, samples.data(), 0, 0, 0, 0);  // the picture is one tile
    } else {
      TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 5);
      for (uint32_t y = 0; y < static_cast<uint32_t>(picture.height()); ++y) TIFFWriteScanline(tiff, &samples[y * stride], y, 0);
    }
  });
  TIFFClose(tiff);
  return file_bytes(path);
}

TEST(Tiff, RowsComeBackAsTheyAre) {
  for (const ImageMode mode : kAllModes) {
    if (mode == ImageMode::kYCbCr) continue;
    for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_PACKBITS, COMPRESSION_ADOBE_DEFLATE}) {
      const Image picture = noise(mode, 13, 17);
      EXPECT_EQ(decode_image(tiff_of(picture, {.compression = static_cast<uint16_t>(compression)})), picture)
          << to_string(mode) << " " << compression;
    }
  }
}

TEST(Tiff, TilesOrientationAndAlpha) {
  const Image picture = noise(ImageMode::kRGB, 16, 16);
  EXPECT_EQ(decode_image(tiff_of(picture, {.tiled = true})), picture);
  const Image tall = noise(ImageMode::kL, 5, 9);
  EXPECT_EQ(decode_image(tiff_of(tall, {.orientation = 6})).width(), 9);
  DecodeOptions as_stored;
  as_stored.apply_orientation = false;
  EXPECT_EQ(decode_image(tiff_of(tall, {.orientation = 6}), as_stored), tall);
  const Image multiplied = of_bytes(ImageMode::kRGBA, 2, 1, {50, 100, 0, 100, 7, 8, 9, 0});
  EXPECT_THAT(bytes_of(decode_image(tiff_of(multiplied, {.extra = EXTRASAMPLE_ASSOCALPHA}))), ElementsAre(128, 255, 0, 100, 7, 8, 9, 0));
}

TEST(Tiff, CutOrDamagedFilesAreRefused) {
  const Bytes bytes = tiff_of(noise(ImageMode::kRGB, 20, 17), {.compression = COMPRESSION_LZW});
  expect_prefixes_refused(bytes);
  expect_damage_survived(bytes, 6);
  DecodeOptions options;
  options.limits.max_pixels = 300;
  EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { decode_image(bytes, options); }), HasSubstr("TIFF: the header promises 20 x 17"));
}

Bytes jpeg2000_of(const Image& picture, OPJ_CODEC_FORMAT format) {
  const OPJ_UINT32 width = static_cast<OPJ_UINT32>(picture.width()), height = static_cast<OPJ_UINT32>(picture.height());
  const OPJ_UINT32 channels = static_cast<OPJ_UINT32>(picture.channels()), bits = static_cast<OPJ_UINT32>(sample_bits(picture.mode()));
  std::vector<opj_image_cmptparm_t> parts(channels, opj_image_cmptparm_t{1, 1, width, height, 0, 0, bits, bits, 0});
  opj_image_t* image = opj_image_create(channels, parts.data(), channels < 3 ? OPJ_CLRSPC_GRAY : OPJ_CLRSPC_SRGB);
  image->x1 = width;
  image->y1 = height;
  with_sample_type(picture.mode(), [&]<class T>(T) {
    const std::span<const T> samples = picture.samples<T>();
    for (size_t i = 0; i < samples.size(); ++i) image->comps[i % channels].data[i / channels] = samples[i];
  });
  opj_cparameters_t parameters;
  opj_set_default_encoder_parameters(&parameters);
  parameters.tcp_numlayers = 1;
  parameters.cp_disto_alloc = 1;
  parameters.numresolution = 3;
  opj_codec_t* codec = opj_create_compress(format);
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "picture.jp2";
  EXPECT_TRUE(opj_setup_encoder(codec, &parameters, image));
  opj_stream_t* stream = opj_stream_create_default_file_stream(path.c_str(), OPJ_FALSE);
  EXPECT_TRUE(opj_start_compress(codec, image, stream) && opj_encode(codec, stream) && opj_end_compress(codec, stream));
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  opj_image_destroy(image);
  return file_bytes(path);
}

TEST(Jpeg2000, LosslessPicturesComeBack) {
  for (const ImageMode mode : kAllModes) {
    if (mode == ImageMode::kYCbCr) continue;
    for (const OPJ_CODEC_FORMAT format : {OPJ_CODEC_JP2, OPJ_CODEC_J2K}) {
      const Image picture = noise(mode, 33, 18);
      EXPECT_EQ(decode_image(jpeg2000_of(picture, format)), picture) << to_string(mode);
    }
  }
}

TEST(Jpeg2000, CutOrDamagedFilesAreRefused) {
  for (const OPJ_CODEC_FORMAT format : {OPJ_CODEC_JP2, OPJ_CODEC_J2K}) {
    const Bytes bytes = jpeg2000_of(noise(ImageMode::kRGB, 20, 17), format);
    for (size_t size = 0; size < bytes.size() * 3 / 4; size += 7) {
      message_of(ErrorCode::kInvalidArgument, [&] { decode_image(std::span(bytes).first(size)); });
    }
    expect_damage_survived(bytes, 7);
    DecodeOptions options;
    options.limits.max_pixels = 300;
    EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [&] { decode_image(bytes, options); }), HasSubstr("JPEG 2000: the header promises"));
  }
}

TEST(Jpeg2000, ManyTilesInAFewBytesAreRefused) {
  Bytes bytes = jpeg2000_of(noise(ImageMode::kL, 40, 40), OPJ_CODEC_J2K);
  bytes[27] = std::byte{1};  // the width of a tile: its lowest byte
  bytes[31] = std::byte{1};  // and its height
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { decode_image(std::span(bytes).first(300)); }),
              HasSubstr("promises 1600 tiles"));
}

}  // namespace
}  // namespace sardonyx::image
