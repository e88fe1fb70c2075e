#include <array>

#include "image/codec.h"
#include "image/jpeg_errors.h"
#include "image/pixels.h"

namespace sardonyx {
namespace {

using image::JpegErrors;

// Collects libjpeg's output in a vector.
struct Destination {
  jpeg_destination_mgr manager{};  // first, so that libjpeg's pointer to it is one to the whole
  std::array<JOCTET, 16384> buffer;
  std::vector<std::byte> bytes;

  void rewind() {
    manager.next_output_byte = buffer.data();
    manager.free_in_buffer = buffer.size();
  }
};

Destination& destination_of(j_compress_ptr info) { return *reinterpret_cast<Destination*>(info->dest); }

void take(j_compress_ptr info, size_t size) {
  Destination& destination = destination_of(info);
  if (!image::append_bytes(destination.bytes, destination.buffer.data(), size)) {
    reinterpret_cast<JpegErrors*>(info->err)->escape.leave(ErrorCode::kResourceLimit, "the memory for the encoded file cannot be had");
  }
  destination.rewind();
}

void on_start(j_compress_ptr info) { destination_of(info).rewind(); }

boolean on_full(j_compress_ptr info) {
  take(info, destination_of(info).buffer.size());
  return TRUE;
}

void on_end(j_compress_ptr info) { take(info, destination_of(info).buffer.size() - info->dest->free_in_buffer); }

class JpegEncoder {
 public:
  JpegEncoder() = default;
  ~JpegEncoder() { jpeg_destroy_compress(&info_); }
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;

  std::vector<std::byte> encode(const Image& picture, const JpegOptions& options);

 private:
  void start();
  void configure(const Image& picture, const JpegOptions& options);

  JpegErrors errors_;
  Destination destination_;
  jpeg_compress_struct info_{};
};

void JpegEncoder::start() {
  info_.err = &errors_.manager;
  guarded(errors_.escape, [&] { jpeg_create_compress(&info_); });
  destination_.manager.init_destination = on_start;
  destination_.manager.empty_output_buffer = on_full;
  destination_.manager.term_destination = on_end;
  info_.dest = &destination_.manager;
}

void JpegEncoder::configure(const Image& picture, const JpegOptions& options) {
  info_.image_width = static_cast<JDIMENSION>(picture.width());
  info_.image_height = static_cast<JDIMENSION>(picture.height());
  info_.input_components = picture.channels();
  info_.in_color_space = picture.mode() == ImageMode::kL ? JCS_GRAYSCALE : picture.mode() == ImageMode::kRGB ? JCS_RGB : JCS_YCbCr;
  jpeg_set_defaults(&info_);
  jpeg_set_quality(&info_, options.quality, TRUE);
  if (info_.num_components == 3) {
    info_.comp_info[0].h_samp_factor = options.subsampling == ChromaSubsampling::k444 ? 1 : 2;
    info_.comp_info[0].v_samp_factor = options.subsampling == ChromaSubsampling::k420 ? 2 : 1;
  }
  if (options.progressive) jpeg_simple_progression(&info_);
}

std::vector<std::byte> JpegEncoder::encode(const Image& picture, const JpegOptions& options) {
  const uint8_t* samples = picture.samples<uint8_t>().data();
  const size_t stride = static_cast<size_t>(picture.width()) * static_cast<size_t>(picture.channels());
  start();
  guarded(errors_.escape, [&] {
    configure(picture, options);
    jpeg_start_compress(&info_, TRUE);
    while (info_.next_scanline < info_.image_height) {
      JSAMPROW row = const_cast<JSAMPROW>(samples + info_.next_scanline * stride);
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
  });
  return std::move(destination_.bytes);
}

void check_picture(const Image& picture, const JpegOptions& options) {
  image::expect_pixels(picture, "encode_jpeg");
  const ImageMode mode = picture.mode();
  if (has_alpha(mode) || sample_bits(mode) != 8) {
    throw Error(ErrorCode::kInvalidArgument, "JPEG cannot hold mode " + std::string(to_string(mode)) +
                                                 " (no alpha, 8 bits only): convert() the image to RGB or L first, or write a PNG");
  }
  if (options.quality < 1 || options.quality > 100) {
    throw Error(ErrorCode::kInvalidArgument, "JPEG quality " + std::to_string(options.quality) + ": it must lie in 1..100");
  }
}

}  // namespace

std::vector<std::byte> encode_jpeg(const Image& picture, const JpegOptions& options) {
  check_picture(picture, options);
  return with_trail([] { return "JPEG encoder"; }, [&] { return JpegEncoder().encode(picture, options); });
}

}  // namespace sardonyx
