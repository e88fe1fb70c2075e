// Images: decoding of JPEG, PNG, BMP, TIFF, WebP, JPEG 2000 and PNM, encoding of JPEG and PNG, resizing and colour conversion with exactly
// the pixels of Pillow 9.4, and the way to and from tensors.
//
// Deliberately not here: colour management (ICC profiles and gamma chunks are ignored, as in Pillow), animation, other file formats.
// Every function throws sardonyx::Error; bytes that are not a sound image give InvalidArgument, sizes beyond a limit ResourceLimit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "sardonyx/tensor.h"

namespace sardonyx {

// What the interleaved samples of a pixel mean. The names are Pillow's; RGB16, RGBA16 and LA16 extend its "I;16".
enum class ImageMode {
  kL,      // 8-bit grey
  kLA,     // 8-bit grey, alpha (not premultiplied)
  kRGB,    // 8-bit red, green, blue
  kRGBA,   // 8-bit red, green, blue, alpha (not premultiplied)
  kYCbCr,  // 8-bit luma, blue and red difference; full range, as in JFIF
  kI16,    // 16-bit grey
  kLA16,
  kRGB16,
  kRGBA16,
};

// "L", "LA", "RGB", "RGBA", "YCbCr", "I;16", "LA;16", "RGB;16", "RGBA;16".
std::string_view to_string(ImageMode mode) noexcept;
std::optional<ImageMode> image_mode_from_string(std::string_view name) noexcept;
int channel_count(ImageMode mode) noexcept;  // 1 to 4
int sample_bits(ImageMode mode) noexcept;    // 8 or 16
bool has_alpha(ImageMode mode) noexcept;
ImageMode eight_bit_mode(ImageMode mode) noexcept;  // the mode with the same channels at 8 bits

// A picture: rows from top to bottom, pixels from left to right, samples interleaved, no padding. Copying copies the samples.
class Image {
 public:
  static constexpr int kMaxSide = 1 << 20;
  static constexpr int64_t kMaxPixels = (int64_t{1} << 31) - 1;

  Image() = default;  // an empty image: 0 x 0, mode L
  // All samples zero. Throws InvalidArgument unless both sides are at least 1; ResourceLimit beyond kMaxSide, kMaxPixels or memory.
  Image(ImageMode mode, int width, int height);

  ImageMode mode() const noexcept { return mode_; }
  int width() const noexcept { return width_; }
  int height() const noexcept { return height_; }
  int channels() const noexcept { return channel_count(mode_); }
  int64_t pixel_count() const noexcept { return int64_t{width_} * height_; }
  bool empty() const noexcept { return width_ == 0; }

  // All samples, row by row. T is uint8_t or uint16_t (native byte order); throws InvalidArgument if it is not the mode's sample type.
  template <class T>
  std::span<const T> samples() const {
    expect_bits(static_cast<int>(sizeof(T)) * 8);
    return std::get<std::vector<T>>(samples_);
  }
  template <class T>
  std::span<T> mutable_samples() {
    expect_bits(static_cast<int>(sizeof(T)) * 8);
    return std::get<std::vector<T>>(samples_);
  }

  friend bool operator==(const Image&, const Image&) = default;

 private:
  void expect_bits(int bits) const;

  ImageMode mode_ = ImageMode::kL;
  int width_ = 0;
  int height_ = 0;
  std::variant<std::vector<uint8_t>, std::vector<uint16_t>> samples_;
};

// Bounds on what decoding untrusted bytes may take; checked before memory is taken.
struct ImageLimits {
  int64_t max_pixels = 178'956'970;      // width x height; Pillow's bound against decompression bombs
  int64_t max_bytes = int64_t{2} << 30;  // decoded samples and the decoder's own buffers; turning upright may take the samples again
  int max_scans = 100;                   // scans of a progressive JPEG, each of which costs a pass over the whole picture
};

struct DecodeOptions {
  ImageLimits limits;
  bool apply_orientation = true;  // turn the picture upright as its EXIF orientation asks; false leaves it as stored
};

// Decodes a file of any of the formats, told apart by content. Throws Io if the file cannot be read; else as decode_image, naming the path.
Image read_image(const std::filesystem::path& path, const DecodeOptions& options = {});

// JPEG: grey gives L, colour RGB; CMYK and YCCK (inverted, as Adobe writes them) are converted to RGB. Exact inverse DCT and smooth
// chroma upsampling, the pixels that Pillow shows by default.
// PNG: grey of up to 8 bits gives L, palette and colour RGB, 16 bits I;16 or RGB;16; an alpha channel or a transparent colour adds A.
// BMP: as PNG; masks of fewer than 8 bits are spread to bytes. PNM (P1 to P6) and PAM: samples are spread over 8 or 16 bits. WebP: still
// pictures, RGB or RGBA. TIFF: the first picture; grey and colour of 8 and 16 bits in rows as they are, other kinds (tiles, palettes,
// YCbCr, bits) at 8 bits; alpha that the colours were multiplied by is divided out. JPEG 2000: components of up to 8 bits at 8, of up to
// 16 bits at 16.
// Truncated or damaged image data is an error, never a partly grey picture; unreadable metadata only loses the metadata.
// Throws InvalidArgument (not a sound image), Unsupported (a valid kind not implemented), ResourceLimit.
Image decode_image(std::span<const std::byte> bytes, const DecodeOptions& options = {});

enum class ChromaSubsampling { k444, k422, k420 };

struct JpegOptions {
  int quality = 75;  // 1 (worst) to 100
  ChromaSubsampling subsampling = ChromaSubsampling::k420;
  bool progressive = false;
};

struct PngOptions {
  int compression = 6;  // zlib's level, 0 (none) to 9 (smallest)
};

struct WriteOptions {
  JpegOptions jpeg;
  PngOptions png;
};

// Modes L, RGB and YCbCr. Throws InvalidArgument for alpha, 16 bits, an empty image or options out of range.
std::vector<std::byte> encode_jpeg(const Image& image, const JpegOptions& options = {});
// All modes but YCbCr. Throws InvalidArgument for YCbCr, an empty image or options out of range.
std::vector<std::byte> encode_png(const Image& image, const PngOptions& options = {});
// Encodes as the extension says (.png, .jpg, .jpeg, in any case) and replaces the file at once or not at all. Throws Io besides.
void write_image(const std::filesystem::path& path, const Image& image, const WriteOptions& options = {});

enum class Filter { kNearest, kBox, kBilinear, kHamming, kBicubic, kLanczos };

// "nearest", "box", "bilinear", "hamming", "bicubic", "lanczos".
std::string_view to_string(Filter filter) noexcept;
std::optional<Filter> filter_from_string(std::string_view name) noexcept;

// Image.resize of Pillow 9.4, byte for byte in the 8-bit modes: the filter is widened when shrinking (antialiasing), bicubic has
// a = -0.5, images with alpha are premultiplied for the time of filtering (but not for kNearest).
// 16-bit modes, which Pillow 9.4 refuses to filter, use the same weights in a wider fixed point: samples lie within 0.51 of the exact
// ones (those of Pillow's float mode "F").
Image resize(const Image& image, int width, int height, Filter filter = Filter::kBicubic);

// Pillow's conversions: RGB to L by (19595 R + 38470 G + 7471 B + 32768) / 65536, RGB to YCbCr and back by its 6-bit tables, YCbCr to L
// keeps Y, missing alpha becomes opaque, superfluous alpha is dropped without compositing.
// Between depths (unlike Pillow, which clips): 8 to 16 bits multiplies by 257, 16 to 8 bits divides by 257 and rounds.
Image convert(const Image& image, ImageMode mode);

// The rectangle with that upper left corner. Throws InvalidArgument if it is empty or not inside the image.
Image crop(const Image& image, int left, int top, int width, int height);

// One image of mode L or I;16 for each channel; and the inverse, for bands of equal size and of the mode's depth.
std::vector<Image> split(const Image& image);
Image merge(ImageMode mode, std::span<const Image> bands);

// torchvision's ToTensor: float32 of shape [C, H, W], each sample divided by 255 (16-bit samples by 65535).
Tensor to_tensor(const Image& image);

// How from_tensor makes an integer of the scaled value: kTruncate as `np.uint8((x * 255.0).clip(0, 255))` does, kNearest (half up) as
// torchvision's save_image does.
enum class SampleRounding { kTruncate, kNearest };

// The inverse of to_tensor: values of a floating-point tensor [C, H, W] or [1, C, H, W] are scaled by 255 (65535 for 16-bit modes),
// clipped and rounded. C must be the mode's channel count. Throws InvalidArgument for other shapes and types, and for NaN.
Image from_tensor(const Tensor& tensor, ImageMode mode, SampleRounding rounding);

}  // namespace sardonyx
