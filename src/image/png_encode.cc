#include <png.h>

#include <bit>

#include "image/codec.h"
#include "image/pixels.h"

namespace sardonyx {
namespace {

struct PngSink {
  std::vector<std::byte> bytes;
  image::Escape escape;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  static_cast<PngSink*>(png_get_error_ptr(png))->escape.leave(ErrorCode::kInvalidArgument, message);
}

void on_warning(png_structp, png_const_charp) {}

void on_write(png_structp png, png_bytep data, size_t size) {
  PngSink& sink = *static_cast<PngSink*>(png_get_io_ptr(png));
  if (!image::append_bytes(sink.bytes, data, size)) {
    sink.escape.leave(ErrorCode::kResourceLimit, "the memory for the encoded file cannot be had");
  }
}

void on_flush(png_structp) {}

int colour_type(ImageMode mode) {
  switch (channel_count(mode)) {
    case 1:
      return PNG_COLOR_TYPE_GRAY;
    case 2:
      return PNG_COLOR_TYPE_GRAY_ALPHA;
    case 3:
      return PNG_COLOR_TYPE_RGB;
    default:
      return PNG_COLOR_TYPE_RGB_ALPHA;
  }
}

class PngEncoder {
 public:
  PngEncoder() = default;
  ~PngEncoder() { png_destroy_write_struct(&png_, &info_); }
  PngEncoder(const PngEncoder&) = delete;
  PngEncoder& operator=(const PngEncoder&) = delete;

  std::vector<std::byte> encode(const Image& picture, const PngOptions& options);

 private:
  void start();
  void write(const Image& picture, const png_byte* samples, size_t stride, int compression);

  PngSink sink_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

void PngEncoder::start() {
  guarded(sink_.escape, [&] {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &sink_, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  });
  if (info_ == nullptr) {
    throw Error(ErrorCode::kResourceLimit, "it cannot be set up: out of memory, or another version of libpng is in the way");
  }
}

void PngEncoder::write(const Image& picture, const png_byte* samples, size_t stride, int compression) {
  png_set_write_fn(png_, &sink_, on_write, on_flush);
  png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_compression_level(png_, compression);
  png_set_IHDR(png_, info_, static_cast<png_uint_32>(picture.width()), static_cast<png_uint_32>(picture.height()),
               sample_bits(picture.mode()), colour_type(picture.mode()), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png_, info_);
  if (sample_bits(picture.mode()) == 16 && std::endian::native == std::endian::little) png_set_swap(png_);
  for (int y = 0; y < picture.height(); ++y, samples += stride) png_write_row(png_, samples);
  png_write_end(png_, info_);
}

std::vector<std::byte> PngEncoder::encode(const Image& picture, const PngOptions& options) {
  start();
  image::with_sample_type(picture.mode(), [&]<class T>(T) {
    const png_byte* samples = reinterpret_cast<const png_byte*>(picture.samples<T>().data());
    const size_t stride = static_cast<size_t>(picture.width()) * static_cast<size_t>(picture.channels()) * sizeof(T);
    guarded(sink_.escape, [&] { write(picture, samples, stride, options.compression); });
  });
  return std::move(sink_.bytes);
}

void check_picture(const Image& picture, const PngOptions& options) {
  image::expect_pixels(picture, "encode_png");
  if (picture.mode() == ImageMode::kYCbCr) {
    throw Error(ErrorCode::kInvalidArgument, "PNG cannot hold mode YCbCr: convert() the image to RGB first, or write a JPEG");
  }
  if (options.compression < 0 || options.compression > 9) {
    throw Error(ErrorCode::kInvalidArgument, "PNG compression " + std::to_string(options.compression) + ": it must lie in 0..9");
  }
}

}  // namespace

std::vector<std::byte> encode_png(const Image& picture, const PngOptions& options) {
  check_picture(picture, options);
  return with_trail([] { return "PNG encoder"; }, [&] { return PngEncoder().encode(picture, options); });
}

}  // namespace sardonyx
