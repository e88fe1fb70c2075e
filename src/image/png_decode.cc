#include <png.h>

#include <bit>
#include <cstring>

#include "image/codec.h"
#include "image/orientation.h"
#include "image/pixels.h"

namespace sardonyx::image {
namespace {

// A deflate stream cannot shrink anything further than to this part.
constexpr int64_t kMostDeflation = 1032;

struct PngSource {
  std::span<const std::byte> rest;
  Escape escape;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  static_cast<PngSource*>(png_get_error_ptr(png))->escape.leave(ErrorCode::kInvalidArgument, message);
}

// libpng warns of ancillary chunks only, which are not shown; damage to the picture is an error.
void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, size_t size) {
  PngSource& source = *static_cast<PngSource*>(png_get_io_ptr(png));
  if (source.rest.size() < size) png_error(png, "the file ends in the middle of the picture: it is cut off");
  std::memcpy(out, source.rest.data(), size);
  source.rest = source.rest.subspan(size);
}

class PngDecoder {
 public:
  PngDecoder(std::span<const std::byte> bytes, const ImageLimits& limits) : file_bytes_(bytes.size()), limits_(limits) {
    source_.rest = bytes;
  }
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  Decoded decode();

 private:
  struct Header {
    png_uint_32 width = 0;
    png_uint_32 height = 0;
    int depth = 0;
    int colours = 0;  // PNG_COLOR_TYPE_...
    bool transparency = false;
    bool palette() const { return colours == PNG_COLOR_TYPE_PALETTE; }
  };
  void start();
  void read_header();
  ImageMode mode() const;
  void check() const;
  void unpack_samples();
  void read_samples(png_bytep samples, size_t stride);
  Image read_indexed();
  Image read_direct();
  int orientation();
  template <class Step>
  void guarded(const Step& step) {
    image::guarded(source_.escape, step);
  }

  const size_t file_bytes_;
  const ImageLimits& limits_;
  PngSource source_;
  Header header_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

void PngDecoder::start() {
  guarded([&] {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  });
  if (info_ == nullptr) {
    throw Error(ErrorCode::kResourceLimit, "the decoder cannot be set up: out of memory, or another version of libpng is in the way");
  }
  guarded([&] {
    png_set_read_fn(png_, &source_, on_read);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    // libpng takes memory for a chunk by the length that the chunk claims; none in a sound file is longer than the file.
    png_set_chunk_malloc_max(png_, file_bytes_);
    // Of what is not the picture only eXIf is wanted: as an unknown chunk, for which libpng minds the limit on memory.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    static constexpr png_byte kExif[] = "eXIf";
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_ALWAYS, kExif, 1);
  });
}

void PngDecoder::read_header() {
  guarded([&] {
    png_read_info(png_, info_);
    png_get_IHDR(png_, info_, &header_.width, &header_.height, &header_.depth, &header_.colours, nullptr, nullptr, nullptr);
    header_.transparency = png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
  });
}

ImageMode PngDecoder::mode() const {
  const bool wide = header_.depth == 16;
  const bool alpha = header_.transparency || (header_.colours & PNG_COLOR_MASK_ALPHA) != 0;
  if ((header_.colours & PNG_COLOR_MASK_COLOR) == 0) {
    if (alpha) return wide ? ImageMode::kLA16 : ImageMode::kLA;
    return wide ? ImageMode::kI16 : ImageMode::kL;
  }
  if (alpha) return wide ? ImageMode::kRGBA16 : ImageMode::kRGBA;
  return wide ? ImageMode::kRGB16 : ImageMode::kRGB;
}

void PngDecoder::check() const {
  const int64_t sample_bytes = channel_count(mode()) * sample_bits(mode()) / 8;
  const int64_t bits_per_pixel = int64_t{png_get_channels(png_, info_)} * header_.depth;
  check_header(header_.width, header_.height, sample_bytes + (header_.palette() ? 1 : 0), kMostDeflation * 8 / bits_per_pixel, file_bytes_,
               limits_);
}

// Asks for whole bytes in native order, and for alpha in place of a transparent colour. Palettes are looked up by read_indexed().
void PngDecoder::unpack_samples() {
  if (header_.palette()) {
    png_set_packing(png_);
  } else {
    if (header_.colours == PNG_COLOR_TYPE_GRAY && header_.depth < 8) png_set_expand_gray_1_2_4_to_8(png_);
    if (header_.transparency) png_set_tRNS_to_alpha(png_);
    if (header_.depth == 16 && std::endian::native == std::endian::little) png_set_swap(png_);
  }
  png_set_interlace_handling(png_);
  png_read_update_info(png_, info_);
}

void PngDecoder::read_samples(png_bytep samples, size_t stride) {
  std::vector<png_bytep> rows(header_.height);
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = samples + y * stride;
  guarded([&] {
    png_read_image(png_, rows.data());
    png_read_end(png_, info_);
  });
}

Image PngDecoder::read_indexed() {
  png_colorp palette = nullptr;
  png_bytep alphas = nullptr;
  int colours = 0;
  int alpha_count = 0;
  guarded([&] {
    png_get_PLTE(png_, info_, &palette, &colours);
    if (header_.transparency) png_get_tRNS(png_, info_, &alphas, &alpha_count, nullptr);
  });
  Image result(mode(), static_cast<int>(header_.width), static_cast<int>(header_.height));
  std::vector<uint8_t> indices(static_cast<size_t>(result.pixel_count()));
  read_samples(indices.data(), header_.width);
  uint8_t* out = result.mutable_samples<uint8_t>().data();
  for (const int index : indices) {
    if (index >= colours) {
      throw Error(ErrorCode::kInvalidArgument,
                  "a pixel has the colour number " + std::to_string(index) + ", the palette has " + std::to_string(colours) + " colours");
    }
    *out++ = palette[index].red;
    *out++ = palette[index].green;
    *out++ = palette[index].blue;
    if (header_.transparency) *out++ = index < alpha_count ? alphas[index] : uint8_t{255};
  }
  return result;
}

Image PngDecoder::read_direct() {
  Image result(mode(), static_cast<int>(header_.width), static_cast<int>(header_.height));
  with_sample_type(result.mode(), [&]<class T>(T) {
    const size_t stride = size_t{header_.width} * static_cast<size_t>(result.channels()) * sizeof(T);
    if (png_get_rowbytes(png_, info_) != stride) throw Error(ErrorCode::kInternal, "libpng's rows differ in length from the mode's");
    read_samples(reinterpret_cast<png_bytep>(result.mutable_samples<T>().data()), stride);
  });
  return result;
}

int PngDecoder::orientation() {
  png_unknown_chunkp chunks = nullptr;
  int count = 0;
  guarded([&] { count = png_get_unknown_chunks(png_, info_, &chunks); });
  return count == 0 ? 1 : exif_orientation(std::as_bytes(std::span(chunks[0].data, chunks[0].size)));
}

Decoded PngDecoder::decode() {
  start();
  read_header();
  check();
  guarded([&] { unpack_samples(); });
  Decoded decoded;
  decoded.picture = header_.palette() ? read_indexed() : read_direct();
  decoded.orientation = orientation();
  return decoded;
}

}  // namespace

Decoded decode_png(std::span<const std::byte> bytes, const ImageLimits& limits) { return PngDecoder(bytes, limits).decode(); }

}  // namespace sardonyx::image
