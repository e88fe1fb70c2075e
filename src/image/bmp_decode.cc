// Windows and OS/2 bitmaps: 1, 4, 8, 16, 24 and 32 bits per pixel, run-length encoded or not (the headers of wingdi.h's BITMAPCOREHEADER
// to BITMAPV5HEADER).
#include <algorithm>
#include <array>
#include <bit>

#include "image/codec.h"
#include "image/ordered_bytes.h"
#include "image/pixels.h"

namespace sardonyx::image {
namespace {

constexpr size_t kFileHeader = 14;
constexpr uint32_t kCoreHeader = 12;
constexpr uint32_t kInfoHeader = 40;
constexpr uint32_t kHeaderWithAlpha = 56;  // the first size with a mask for alpha

enum Compression : uint32_t { kPlain = 0, kRuns8 = 1, kRuns4 = 2, kMasks = 3, kMasksWithAlpha = 6 };

[[noreturn]] void refuse(ErrorCode code, const std::string& reason) { throw Error(code, reason); }
[[noreturn]] void refuse_cut_off() { refuse(ErrorCode::kInvalidArgument, "the file ends in the middle of the picture: it is cut off"); }

// The bits of a pixel that hold one channel.
struct Channel {
  int shift = 0;
  uint32_t most = 0;  // the greatest value; 0: the channel is not there

  Channel() = default;
  explicit Channel(uint32_t mask) {
    if (mask == 0) return;
    shift = std::countr_zero(mask);
    most = mask >> shift;
    if ((most & (most + 1)) != 0) refuse(ErrorCode::kInvalidArgument, "a colour mask has holes");
  }
  uint8_t byte_of(uint32_t pixel) const noexcept {
    return most == 0 ? uint8_t{0} : static_cast<uint8_t>(uint64_t{pixel >> shift & most} * 255 / most);
  }
};

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
  bool grey() const noexcept { return red == green && green == blue; }
};

class BmpDecoder {
 public:
  BmpDecoder(std::span<const std::byte> bytes, const ImageLimits& limits) : file_{bytes}, limits_(limits) {}
  Decoded decode();

 private:
  void read_header();
  void read_masks();
  void check() const;
  void read_palette();
  bool indexed() const noexcept { return bits_ <= 8; }
  bool has_runs() const noexcept { return compression_ == kRuns8 || compression_ == kRuns4; }
  std::vector<uint8_t> indices() const;
  std::vector<uint8_t> plain_indices() const;
  std::vector<uint8_t> run_indices() const;
  Image indexed_picture() const;
  Image direct_picture() const;
  // The stored row, counted from the top of the picture.
  std::span<const std::byte> row(size_t y) const;

  OrderedBytes file_;
  const ImageLimits& limits_;
  uint32_t header_bytes_ = 0;
  int64_t width_ = 0, height_ = 0;
  bool top_down_ = false;
  uint32_t bits_ = 0;
  uint32_t compression_ = kPlain;
  uint32_t colours_used_ = 0;
  size_t pixels_at_ = 0;
  std::array<Channel, 4> channels_;  // red, green, blue, alpha
  std::vector<Colour> palette_;
};

void BmpDecoder::read_header() {
  pixels_at_ = file_.needed(10, 4);
  header_bytes_ = file_.needed(kFileHeader, 4);
  if (header_bytes_ == kCoreHeader) {
    width_ = file_.needed(kFileHeader + 4, 2);
    height_ = file_.needed(kFileHeader + 6, 2);
    bits_ = file_.needed(kFileHeader + 10, 2);
  } else if (header_bytes_ >= kInfoHeader && header_bytes_ <= 1024) {
    width_ = static_cast<int32_t>(file_.needed(kFileHeader + 4, 4));
    height_ = static_cast<int32_t>(file_.needed(kFileHeader + 8, 4));
    bits_ = file_.needed(kFileHeader + 14, 2);
    compression_ = file_.needed(kFileHeader + 16, 4);
    colours_used_ = file_.needed(kFileHeader + 32, 4);
  } else {
    refuse(ErrorCode::kUnsupported, "a header of " + std::to_string(header_bytes_) + " bytes is of no known version");
  }
  top_down_ = height_ < 0;
  if (top_down_) height_ = -height_;
}

void BmpDecoder::read_masks() {
  if (compression_ == kPlain) {
    if (bits_ == 16) channels_ = {Channel(0x7c00), Channel(0x03e0), Channel(0x001f), Channel()};
    if (bits_ == 32) channels_ = {Channel(0xff0000), Channel(0xff00), Channel(0xff), Channel()};
    return;
  }
  const bool alpha = compression_ == kMasksWithAlpha || header_bytes_ >= kHeaderWithAlpha;
  for (size_t c = 0; c < (alpha ? 4 : 3); ++c) channels_[c] = Channel(file_.needed(kFileHeader + kInfoHeader + 4 * c, 4));
}

void BmpDecoder::check() const {
  const bool known_bits = bits_ == 1 || bits_ == 4 || bits_ == 8 || bits_ == 16 || bits_ == 24 || bits_ == 32;
  const bool masks = compression_ == kMasks || compression_ == kMasksWithAlpha;
  const bool fits = compression_ == kPlain || (compression_ == kRuns8 && bits_ == 8) || (compression_ == kRuns4 && bits_ == 4) ||
                    (masks && (bits_ == 16 || bits_ == 32));
  if (!known_bits || !fits || (has_runs() && top_down_)) {
    refuse(ErrorCode::kUnsupported,
           std::to_string(bits_) + " bits per pixel under compression " + std::to_string(compression_) + " are not supported");
  }
  // Runs may leave any part of the picture out.
  const int64_t pixels_per_byte = has_runs() ? Image::kMaxPixels : bits_ >= 8 ? 1 : 8 / bits_;
  check_header(width_, height_, 4, pixels_per_byte, file_.bytes.size(), limits_);
}

void BmpDecoder::read_palette() {
  const size_t entry = header_bytes_ == kCoreHeader ? 3 : 4;
  const size_t start = kFileHeader + header_bytes_;
  size_t count = size_t{1} << bits_;
  if (colours_used_ != 0) count = std::min<size_t>(count, colours_used_);
  if (pixels_at_ > start) count = std::min(count, (pixels_at_ - start) / entry);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t colour = file_.needed(start + i * entry, 3);
    palette_.push_back({static_cast<uint8_t>(colour >> 16), static_cast<uint8_t>(colour >> 8), static_cast<uint8_t>(colour)});
  }
}

std::span<const std::byte> BmpDecoder::row(size_t y) const {
  const size_t stride = (static_cast<size_t>(width_) * bits_ + 31) / 32 * 4;
  const size_t used = (static_cast<size_t>(width_) * bits_ + 7) / 8;  // the last row may lack its padding
  const size_t stored = top_down_ ? y : static_cast<size_t>(height_) - 1 - y;
  const size_t at = pixels_at_ + stored * stride;
  if (at > file_.bytes.size() || file_.bytes.size() - at < used) refuse_cut_off();
  return file_.bytes.subspan(at, used);
}

std::vector<uint8_t> BmpDecoder::plain_indices() const {
  std::vector<uint8_t> result;
  result.reserve(static_cast<size_t>(width_ * height_));
  const uint32_t per_byte = 8 / bits_, mask = (1U << bits_) - 1;
  for (size_t y = 0; y < static_cast<size_t>(height_); ++y) {
    const std::span<const std::byte> bytes = row(y);
    for (size_t x = 0; x < static_cast<size_t>(width_); ++x) {
      const uint32_t byte = std::to_integer<uint32_t>(bytes[x / per_byte]);
      result.push_back(static_cast<uint8_t>(byte >> (8 - bits_ - x % per_byte * bits_) & mask));
    }
  }
  return result;
}

// Pairs of a count and a value; a count of 0 is followed by 0 (end of the row), 1 (end of the picture), 2 (a step to the right and up)
// or by the number of pixels that follow as they are, padded to 16 bits.
std::vector<uint8_t> BmpDecoder::run_indices() const {
  const size_t width = static_cast<size_t>(width_), height = static_cast<size_t>(height_);
  std::vector<uint8_t> result(width * height);
  size_t at = pixels_at_, x = 0, y = 0;
  const auto next = [&] {
    if (at >= file_.bytes.size()) refuse_cut_off();
    return std::to_integer<uint32_t>(file_.bytes[at++]);
  };
  const auto put = [&](uint32_t index) {
    if (x < width && y < height) result[(height - 1 - y) * width + x] = static_cast<uint8_t>(index);
    ++x;
  };
  const auto put_of = [&](uint32_t byte, uint32_t i) { put(bits_ == 8 ? byte : i % 2 == 0 ? byte >> 4 : byte & 15); };
  while (y < height) {
    const uint32_t count = next(), value = next();
    if (count > 0) {
      for (uint32_t i = 0; i < count; ++i) put_of(value, i);
    } else if (value == 0) {
      x = 0;
      ++y;
    } else if (value == 1) {
      break;
    } else if (value == 2) {
      x += next();
      y += next();
    } else {
      const uint32_t per_byte = 8 / bits_, bytes = (value + per_byte - 1) / per_byte;
      uint32_t byte = 0;
      for (uint32_t i = 0; i < value; ++i) {
        if (i % per_byte == 0) byte = next();
        put_of(byte, i);
      }
      if (bytes % 2 == 1) next();
    }
  }
  return result;
}

std::vector<uint8_t> BmpDecoder::indices() const { return has_runs() ? run_indices() : plain_indices(); }

Image BmpDecoder::indexed_picture() const {
  const bool grey = std::ranges::all_of(palette_, &Colour::grey);
  Image result(grey ? ImageMode::kL : ImageMode::kRGB, static_cast<int>(width_), static_cast<int>(height_));
  uint8_t* out = result.mutable_samples<uint8_t>().data();
  for (const uint8_t index : indices()) {
    if (index >= palette_.size()) {
      refuse(ErrorCode::kInvalidArgument, "a pixel has the colour number " + std::to_string(index) + ", the palette has " +
                                              std::to_string(palette_.size()) + " colours");
    }
    const Colour colour = palette_[index];
    *out++ = colour.red;
    if (grey) continue;
    *out++ = colour.green;
    *out++ = colour.blue;
  }
  return result;
}

Image BmpDecoder::direct_picture() const {
  const bool alpha = channels_[3].most != 0;
  Image result(alpha ? ImageMode::kRGBA : ImageMode::kRGB, static_cast<int>(width_), static_cast<int>(height_));
  const size_t channels = alpha ? 4 : 3, step = bits_ / 8;
  uint8_t* out = result.mutable_samples<uint8_t>().data();
  for (size_t y = 0; y < static_cast<size_t>(height_); ++y) {
    const OrderedBytes bytes{row(y)};
    for (size_t x = 0; x < static_cast<size_t>(width_); ++x, out += channels) {
      const uint32_t pixel = bytes.integer(x * step, step).value_or(0);
      if (bits_ == 24) {
        for (size_t c = 0; c < 3; ++c) out[c] = static_cast<uint8_t>(pixel >> (16 - 8 * c));
      } else {
        for (size_t c = 0; c < channels; ++c) out[c] = channels_[c].byte_of(pixel);
      }
    }
  }
  return result;
}

Decoded BmpDecoder::decode() {
  read_header();
  check();
  Decoded decoded;
  if (indexed()) {
    read_palette();
    decoded.picture = indexed_picture();
  } else {
    if (bits_ != 24) read_masks();
    decoded.picture = direct_picture();
  }
  return decoded;
}

}  // namespace

Decoded decode_bmp(std::span<const std::byte> bytes, const ImageLimits& limits) { return BmpDecoder(bytes, limits).decode(); }

}  // namespace sardonyx::image
