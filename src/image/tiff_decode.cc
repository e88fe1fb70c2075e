// TIFF through libtiff: grey and colour of 8 and 16 bits in rows as they are, everything else as libtiff shows it, at 8 bits.
#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "image/codec.h"
#include "image/pixels.h"

namespace sardonyx::image {
namespace {

struct TiffSource {
  std::span<const std::byte> bytes;
  uint64_t at = 0;
  std::string message;  // the first error, which is the cause of the others
};

TiffSource& source_of(thandle_t handle) { return *static_cast<TiffSource*>(handle); }

tmsize_t on_read(thandle_t handle, void* out, tmsize_t size) {
  TiffSource& source = source_of(handle);
  if (size <= 0 || source.at >= source.bytes.size()) return 0;
  const size_t taken = std::min(static_cast<size_t>(size), source.bytes.size() - static_cast<size_t>(source.at));
  std::memcpy(out, source.bytes.data() + source.at, taken);
  source.at += taken;
  return static_cast<tmsize_t>(taken);
}

tmsize_t on_write(thandle_t, void*, tmsize_t) { return 0; }
int on_close(thandle_t) { return 0; }
toff_t on_size(thandle_t handle) { return source_of(handle).bytes.size(); }

toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
  TiffSource& source = source_of(handle);
  const uint64_t base = whence == SEEK_CUR ? source.at : whence == SEEK_END ? source.bytes.size() : 0;
  source.at = base + offset;
  return source.at;
}

// The whole file lies in memory; libtiff only reads it.
int on_map(thandle_t handle, void** start, toff_t* size) {
  const std::span<const std::byte> bytes = source_of(handle).bytes;
  *start = const_cast<std::byte*>(bytes.data());
  *size = bytes.size();
  return 1;
}
void on_unmap(thandle_t, void*, toff_t) {}

int on_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  std::string& message = static_cast<TiffSource*>(user)->message;
  if (!message.empty()) return 1;
  char text[256];
  std::vsnprintf(text, sizeof text, format, arguments);
  try {
    message = text;
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return 1;
}

// Of tags and metadata, which are not shown; damage to the picture is an error.
int on_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct CloseTiff {
  void operator()(TIFF* tiff) const noexcept { TIFFClose(tiff); }
};
struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const noexcept { TIFFOpenOptionsFree(options); }
};

class TiffDecoder {
 public:
  TiffDecoder(std::span<const std::byte> bytes, const ImageLimits& limits) : limits_(limits) { source_.bytes = bytes; }
  Decoded decode();

 private:
  void open();
  void read_header();
  void check();
  [[noreturn]] void refuse(ErrorCode code, std::string fallback) const {
    throw Error(code, source_.message.empty() ? std::move(fallback) : source_.message);
  }
  template <class T>
  T tag(uint32_t name, T otherwise) {
    T value = otherwise;
    return TIFFGetFieldDefaulted(tiff_.get(), name, &value) != 0 ? value : otherwise;
  }
  bool rows_are_samples() const;
  ImageMode row_mode() const;
  Image read_rows();
  Image read_shown();

  const ImageLimits& limits_;
  TiffSource source_;
  std::unique_ptr<TIFF, CloseTiff> tiff_;
  uint32_t width_ = 0, height_ = 0;
  uint16_t bits_ = 1, samples_ = 1, compression_ = 0, photometric_ = 0, planar_ = 0, format_ = 0, orientation_ = 1;
  bool alpha_ = false, premultiplied_ = false;
};

void TiffDecoder::open() {
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) refuse(ErrorCode::kResourceLimit, "the decoder cannot be set up: out of memory");
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(limits_.max_bytes));
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &source_);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, nullptr);
  tiff_.reset(TIFFClientOpenExt("picture", "r", &source_, on_read, on_write, on_seek, on_close, on_size, on_map, on_unmap, options.get()));
  if (tiff_ == nullptr) refuse(ErrorCode::kInvalidArgument, "its directory cannot be read");
}

void TiffDecoder::read_header() {
  width_ = tag<uint32_t>(TIFFTAG_IMAGEWIDTH, 0);
  height_ = tag<uint32_t>(TIFFTAG_IMAGELENGTH, 0);
  bits_ = tag<uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
  samples_ = tag<uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
  compression_ = tag<uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  photometric_ = tag<uint16_t>(TIFFTAG_PHOTOMETRIC, samples_ >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  planar_ = tag<uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  format_ = tag<uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  orientation_ = tag<uint16_t>(TIFFTAG_ORIENTATION, 1);
  uint16_t extra_count = 0;
  uint16_t* extras = nullptr;
  if (TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_EXTRASAMPLES, &extra_count, &extras) != 0 && extra_count > 0 && extras != nullptr) {
    alpha_ = extras[0] != EXTRASAMPLE_UNSPECIFIED || photometric_ == PHOTOMETRIC_RGB;
    premultiplied_ = extras[0] == EXTRASAMPLE_ASSOCALPHA;
  }
}

void TiffDecoder::check() {
  if (compression_ == COMPRESSION_OJPEG) refuse(ErrorCode::kUnsupported, "JPEG as of TIFF 6.0's first edition is not supported");
  if (format_ != SAMPLEFORMAT_UINT) refuse(ErrorCode::kUnsupported, "samples that are not unsigned integers are not supported");
  const int64_t bits_per_pixel = std::max<int64_t>(int64_t{bits_} * samples_, 1);
  const int64_t pixels_per_byte = compression_ == COMPRESSION_NONE ? std::max<int64_t>(8 / bits_per_pixel, 1) : Image::kMaxPixels;
  // Besides the result: libtiff's picture of 4 bytes a pixel, or a strip of rows.
  check_header(width_, height_, 8 + int64_t{samples_} * ((bits_ + 7) / 8), pixels_per_byte, source_.bytes.size(), limits_);
  const uint64_t block = TIFFIsTiled(tiff_.get()) != 0 ? TIFFTileSize64(tiff_.get()) : TIFFStripSize64(tiff_.get());
  if (block == 0 || block > static_cast<uint64_t>(limits_.max_bytes)) {
    throw Error(ErrorCode::kResourceLimit, "strips or tiles of " + std::to_string(block) + " bytes, the limit is " +
                                               std::to_string(limits_.max_bytes) + " (ImageLimits::max_bytes)");
  }
}

bool TiffDecoder::rows_are_samples() const {
  if (TIFFIsTiled(tiff_.get()) != 0 || planar_ != PLANARCONFIG_CONTIG || (bits_ != 8 && bits_ != 16)) return false;
  const int colours = photometric_ == PHOTOMETRIC_RGB ? 3 : photometric_ == PHOTOMETRIC_MINISBLACK ? 1 : 0;
  return colours != 0 && samples_ == colours + (alpha_ ? 1 : 0);
}

ImageMode TiffDecoder::row_mode() const {
  const bool wide = bits_ == 16;
  if (samples_ >= 3) {
    if (alpha_) return wide ? ImageMode::kRGBA16 : ImageMode::kRGBA;
    return wide ? ImageMode::kRGB16 : ImageMode::kRGB;
  }
  if (alpha_) return wide ? ImageMode::kLA16 : ImageMode::kLA;
  return wide ? ImageMode::kI16 : ImageMode::kL;
}

// Divides the colours by alpha, rounded; those of pixels that cannot be seen stay.
template <class T>
void divide_by_alpha(std::span<T> samples, size_t channels) {
  constexpr uint64_t kMost = std::numeric_limits<T>::max();
  for (size_t at = 0; at + channels <= samples.size(); at += channels) {
    const uint64_t alpha = samples[at + channels - 1];
    if (alpha == 0) continue;
    for (size_t c = 0; c + 1 < channels; ++c) {
      samples[at + c] = static_cast<T>(std::min(kMost, (samples[at + c] * kMost + alpha / 2) / alpha));
    }
  }
}

Image TiffDecoder::read_rows() {
  Image result(row_mode(), static_cast<int>(width_), static_cast<int>(height_));
  with_sample_type(result.mode(), [&]<class T>(T) {
    const std::span<T> samples = result.mutable_samples<T>();
    const size_t stride = size_t{width_} * samples_;
    if (static_cast<size_t>(TIFFScanlineSize(tiff_.get())) != stride * sizeof(T)) {
      refuse(ErrorCode::kInvalidArgument, "its rows are not as long as its width says");
    }
    for (uint32_t y = 0; y < height_; ++y) {
      if (TIFFReadScanline(tiff_.get(), samples.data() + y * stride, y, 0) < 0) {
        refuse(ErrorCode::kInvalidArgument, "the picture is cut off or damaged");
      }
    }
    if (premultiplied_) divide_by_alpha(samples, samples_);
  });
  return result;
}

// As libtiff shows it: red, green, blue, alpha, the colours multiplied by alpha.
Image TiffDecoder::read_shown() {
  char reason[1024] = "";
  TIFFRGBAImage shown;
  if (TIFFRGBAImageOK(tiff_.get(), reason) == 0 || TIFFRGBAImageBegin(&shown, tiff_.get(), 1, reason) == 0) {
    throw Error(ErrorCode::kUnsupported, reason[0] != 0 ? reason : "this kind of TIFF is not supported");
  }
  const std::unique_ptr<TIFFRGBAImage, void (*)(TIFFRGBAImage*)> ended(&shown, TIFFRGBAImageEnd);
  shown.req_orientation = shown.orientation;  // rows as stored
  Image result(ImageMode::kRGBA, static_cast<int>(width_), static_cast<int>(height_));
  std::vector<uint32_t> raster(static_cast<size_t>(result.pixel_count()));
  if (TIFFRGBAImageGet(&shown, raster.data(), width_, height_) == 0) {
    refuse(ErrorCode::kInvalidArgument, "the picture is cut off or damaged");
  }
  uint8_t* out = result.mutable_samples<uint8_t>().data();
  for (const uint32_t pixel : raster) {
    *out++ = static_cast<uint8_t>(TIFFGetR(pixel));
    *out++ = static_cast<uint8_t>(TIFFGetG(pixel));
    *out++ = static_cast<uint8_t>(TIFFGetB(pixel));
    *out++ = static_cast<uint8_t>(TIFFGetA(pixel));
  }
  const bool grey = photometric_ == PHOTOMETRIC_MINISBLACK || photometric_ == PHOTOMETRIC_MINISWHITE;
  if (alpha_) divide_by_alpha(result.mutable_samples<uint8_t>(), 4);
  return convert(result, grey ? (alpha_ ? ImageMode::kLA : ImageMode::kL) : (alpha_ ? ImageMode::kRGBA : ImageMode::kRGB));
}

Decoded TiffDecoder::decode() {
  open();
  read_header();
  check();
  Decoded decoded;
  decoded.picture = rows_are_samples() ? read_rows() : read_shown();
  if (!source_.message.empty()) refuse(ErrorCode::kInvalidArgument, "");
  decoded.orientation = orientation_ >= 1 && orientation_ <= 8 ? orientation_ : 1;
  return decoded;
}

}  // namespace

Decoded decode_tiff(std::span<const std::byte> bytes, const ImageLimits& limits) { return TiffDecoder(bytes, limits).decode(); }

}  // namespace sardonyx::image
