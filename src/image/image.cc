#include "sardonyx/image.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>

#include "image/pixels.h"

namespace sardonyx {
namespace {

struct ModeFacts {
  ImageMode mode;
  std::string_view name;
  int channels;
  int bits;
  bool alpha;
};

// In the order of the enumerators, which index it.
constexpr std::array<ModeFacts, 9> kModes = {{
    {ImageMode::kL, "L", 1, 8, false},
    {ImageMode::kLA, "LA", 2, 8, true},
    {ImageMode::kRGB, "RGB", 3, 8, false},
    {ImageMode::kRGBA, "RGBA", 4, 8, true},
    {ImageMode::kYCbCr, "YCbCr", 3, 8, false},
    {ImageMode::kI16, "I;16", 1, 16, false},
    {ImageMode::kLA16, "LA;16", 2, 16, true},
    {ImageMode::kRGB16, "RGB;16", 3, 16, false},
    {ImageMode::kRGBA16, "RGBA;16", 4, 16, true},
}};

const ModeFacts& facts(ImageMode mode) noexcept { return kModes[static_cast<size_t>(mode)]; }

std::string size_string(int64_t width, int64_t height) { return std::to_string(width) + " x " + std::to_string(height); }

[[noreturn]] void refuse_merge(ImageMode mode, const std::string& reason) {
  throw Error(ErrorCode::kInvalidArgument, "merge into mode " + std::string(to_string(mode)) + ": " + reason);
}

}  // namespace

std::string_view to_string(ImageMode mode) noexcept { return facts(mode).name; }
int channel_count(ImageMode mode) noexcept { return facts(mode).channels; }
int sample_bits(ImageMode mode) noexcept { return facts(mode).bits; }
ImageMode eight_bit_mode(ImageMode mode) noexcept {
  switch (mode) {
    case ImageMode::kI16:
      return ImageMode::kL;
    case ImageMode::kLA16:
      return ImageMode::kLA;
    case ImageMode::kRGB16:
      return ImageMode::kRGB;
    case ImageMode::kRGBA16:
      return ImageMode::kRGBA;
    default:
      return mode;
  }
}

bool has_alpha(ImageMode mode) noexcept { return facts(mode).alpha; }

std::optional<ImageMode> image_mode_from_string(std::string_view name) noexcept {
  for (const ModeFacts& entry : kModes) {
    if (entry.name == name) return entry.mode;
  }
  return std::nullopt;
}

namespace image {

int64_t checked_pixel_count(int64_t width, int64_t height) {
  if (width < 1 || height < 1) {
    throw Error(ErrorCode::kInvalidArgument, "an image of " + size_string(width, height) + " pixels: both sides must be at least 1");
  }
  if (width > Image::kMaxSide || height > Image::kMaxSide || width * height > Image::kMaxPixels) {
    throw Error(ErrorCode::kResourceLimit, "an image of " + size_string(width, height) + " pixels: at most " +
                                               std::to_string(Image::kMaxSide) + " a side and " + std::to_string(Image::kMaxPixels) +
                                               " in all are possible");
  }
  return width * height;
}

void expect_pixels(const Image& image, std::string_view function) {
  if (image.empty()) throw Error(ErrorCode::kInvalidArgument, std::string(function) + ": the image is empty");
}

}  // namespace image

Image::Image(ImageMode mode, int width, int height) : mode_(mode), width_(width), height_(height) {
  const size_t count = static_cast<size_t>(image::checked_pixel_count(width, height)) * static_cast<size_t>(channel_count(mode));
  try {
    image::with_sample_type(mode, [&]<class T>(T) { samples_.emplace<std::vector<T>>(count); });
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kResourceLimit, "an image of " + size_string(width, height) + " pixels, mode " + std::string(to_string(mode)) +
                                               ": the memory for it cannot be had");
  }
}

void Image::expect_bits(int bits) const {
  if (bits == sample_bits(mode_)) return;
  throw Error(ErrorCode::kInvalidArgument, "samples of " + std::to_string(bits) + " bits were asked of an image of mode " +
                                               std::string(to_string(mode_)) + ", which has " + std::to_string(sample_bits(mode_)) +
                                               ": convert() it first");
}

Image crop(const Image& source, int left, int top, int width, int height) {
  image::expect_pixels(source, "crop");
  if (left < 0 || top < 0 || width < 1 || height < 1 || width > source.width() - left || height > source.height() - top) {
    throw Error(ErrorCode::kInvalidArgument, "crop: the rectangle of " + size_string(width, height) + " at (" + std::to_string(left) +
                                                 ", " + std::to_string(top) + ") is not inside the image of " +
                                                 size_string(source.width(), source.height()));
  }
  Image result(source.mode(), width, height);
  image::with_sample_type(source.mode(), [&]<class T>(T) {
    const size_t channels = static_cast<size_t>(source.channels());
    const size_t row = static_cast<size_t>(width) * channels;
    const size_t stride = static_cast<size_t>(source.width()) * channels;
    const T* from = source.samples<T>().data() + static_cast<size_t>(top) * stride + static_cast<size_t>(left) * channels;
    T* to = result.mutable_samples<T>().data();
    for (int y = 0; y < height; ++y, from += stride, to += row) std::copy_n(from, row, to);
  });
  return result;
}

std::vector<Image> split(const Image& source) {
  image::expect_pixels(source, "split");
  const int channels = source.channels();
  std::vector<Image> bands;
  image::with_sample_type(source.mode(), [&]<class T>(T) {
    for (int c = 0; c < channels; ++c) {
      const T* from = source.samples<T>().data() + c;
      Image& band = bands.emplace_back(sizeof(T) == 1 ? ImageMode::kL : ImageMode::kI16, source.width(), source.height());
      for (T& sample : band.mutable_samples<T>()) {
        sample = *from;
        from += channels;
      }
    }
  });
  return bands;
}

Image merge(ImageMode mode, std::span<const Image> bands) {
  const int channels = channel_count(mode);
  if (bands.size() != static_cast<size_t>(channels)) {
    refuse_merge(mode, std::to_string(bands.size()) + " bands were given, it has " + std::to_string(channels));
  }
  const ImageMode wanted = sample_bits(mode) == 8 ? ImageMode::kL : ImageMode::kI16;
  for (const Image& band : bands) {
    image::expect_pixels(band, "merge");
    if (band.mode() != wanted) {
      refuse_merge(mode, "a band has mode " + std::string(to_string(band.mode())) + ", not " + std::string(to_string(wanted)));
    }
    if (band.width() != bands[0].width() || band.height() != bands[0].height()) refuse_merge(mode, "the bands differ in size");
  }
  Image result(mode, bands[0].width(), bands[0].height());
  image::with_sample_type(mode, [&]<class T>(T) {
    for (int c = 0; c < channels; ++c) {
      T* to = result.mutable_samples<T>().data() + c;
      for (const T sample : bands[static_cast<size_t>(c)].samples<T>()) {
        *to = sample;
        to += channels;
      }
    }
  });
  return result;
}

}  // namespace sardonyx
