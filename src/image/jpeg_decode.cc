#include <algorithm>
#include <cstring>

#include "image/codec.h"
#include "image/jpeg_errors.h"
#include "image/orientation.h"

namespace sardonyx::image {
namespace {

// No byte can stand for more pixels than this: a block of 64 samples takes a bit at least, and some component is sampled at every pixel
// in one direction and at every fourth, at least, in the other. Arithmetic coding has no such bound.
constexpr int64_t kMostPixelsPerByte = 8 * 64 * 4;

struct ScanWatch {
  jpeg_progress_mgr manager;  // first, so that libjpeg's pointer to it is one to the whole
  int max_scans;
};

void on_progress(j_common_ptr info) {
  const int max_scans = reinterpret_cast<ScanWatch*>(info->progress)->max_scans;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= max_scans) return;
  char text[128];
  std::snprintf(text, sizeof text, "more than %d scans (ImageLimits::max_scans)", max_scans);
  reinterpret_cast<JpegErrors*>(info->err)->escape.leave(ErrorCode::kResourceLimit, text);
}

class JpegDecoder {
 public:
  JpegDecoder(std::span<const std::byte> bytes, const ImageLimits& limits) : bytes_(bytes), limits_(limits) {}
  ~JpegDecoder() { jpeg_destroy_decompress(&info_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  Decoded decode();

 private:
  void read_header();
  void check(ImageMode mode) const;
  void read_rows(Image& picture);
  int orientation() const;
  template <class Step>
  void guarded(const Step& step) {
    image::guarded(errors_.escape, step);
  }

  std::span<const std::byte> bytes_;
  const ImageLimits& limits_;
  JpegErrors errors_;
  ScanWatch watch_{};
  jpeg_decompress_struct info_{};
};

void JpegDecoder::read_header() {
  info_.err = &errors_.manager;
  guarded([&] {
    jpeg_create_decompress(&info_);
    watch_.manager.progress_monitor = on_progress;
    watch_.max_scans = limits_.max_scans;
    info_.progress = &watch_.manager;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes_.data()), static_cast<unsigned long>(bytes_.size()));
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&info_, TRUE);
  });
}

void JpegDecoder::check(ImageMode mode) const {
  const int64_t most = info_.arith_code ? Image::kMaxPixels : kMostPixelsPerByte;
  check_header(info_.image_width, info_.image_height, channel_count(mode), most, bytes_.size(), limits_);
}

Decoded JpegDecoder::decode() {
  read_header();
  const int components = info_.num_components;
  if (components != 1 && components != 3 && components != 4) {
    throw Error(ErrorCode::kUnsupported, std::to_string(components) + " colour components; 1, 3 and 4 are supported");
  }
  const ImageMode mode = components == 1 ? ImageMode::kL : ImageMode::kRGB;
  check(mode);
  info_.out_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
  info_.dct_method = JDCT_ISLOW;
  info_.do_fancy_upsampling = TRUE;
  Decoded decoded;
  decoded.orientation = orientation();
  // The buffers of a progressive picture come out of what the samples leave; libjpeg checks that before it takes them.
  const int64_t samples = int64_t{info_.image_width} * info_.image_height * channel_count(mode);
  info_.mem->max_memory_to_use = static_cast<long>(std::max<int64_t>(limits_.max_bytes - samples, 1));
  guarded([&] { jpeg_start_decompress(&info_); });
  decoded.picture = Image(mode, static_cast<int>(info_.image_width), static_cast<int>(info_.image_height));
  read_rows(decoded.picture);
  guarded([&] { jpeg_finish_decompress(&info_); });
  return decoded;
}

// Four samples, inverted as Adobe writes them, to three: Pillow's "CMYK;I" followed by its conversion to RGB.
void cmyk_row_to_rgb(const std::vector<uint8_t>& row, uint8_t* out) {
  for (size_t i = 0; i + 3 < row.size(); i += 4) {
    const unsigned white = row[i + 3];
    for (size_t c = 0; c < 3; ++c) {
      const unsigned product = (255U - row[i + c]) * white + 128;
      *out++ = static_cast<uint8_t>(white - (((product >> 8) + product) >> 8));
    }
  }
}

void JpegDecoder::read_rows(Image& picture) {
  const bool cmyk = info_.out_color_space == JCS_CMYK;
  const size_t stride = static_cast<size_t>(picture.width()) * static_cast<size_t>(picture.channels());
  std::vector<uint8_t> cmyk_row(cmyk ? size_t{4} * static_cast<size_t>(picture.width()) : 0);
  uint8_t* out = picture.mutable_samples<uint8_t>().data();
  for (int y = 0; y < picture.height(); ++y, out += stride) {
    JSAMPROW row = cmyk ? cmyk_row.data() : out;
    guarded([&] { jpeg_read_scanlines(&info_, &row, 1); });
    if (cmyk) cmyk_row_to_rgb(cmyk_row, out);
  }
}

int JpegDecoder::orientation() const {
  for (jpeg_saved_marker_ptr marker = info_.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->data_length < 6 || std::memcmp(marker->data, "Exif\0\0", 6) != 0) continue;
    return exif_orientation(std::as_bytes(std::span(marker->data, marker->data_length)));
  }
  return 1;
}

}  // namespace

Decoded decode_jpeg(std::span<const std::byte> bytes, const ImageLimits& limits) { return JpegDecoder(bytes, limits).decode(); }

}  // namespace sardonyx::image
