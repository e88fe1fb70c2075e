// The portable formats of Netpbm: PBM, PGM and PPM in text and in binary (P1 to P6), and PAM (P7).
#include <algorithm>
#include <charconv>
#include <limits>

#include "image/codec.h"
#include "image/pixels.h"

namespace sardonyx::image {
namespace {

[[noreturn]] void refuse(const std::string& reason) { throw Error(ErrorCode::kInvalidArgument, reason); }

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

class PnmDecoder {
 public:
  PnmDecoder(std::span<const std::byte> bytes, const ImageLimits& limits)
      : text_(reinterpret_cast<const char*>(bytes.data()), bytes.size()), limits_(limits) {}
  Decoded decode();

 private:
  void read_header();
  void read_pam_header();
  void read_pam_line(std::string_view line);
  void check() const;
  void skip_space();
  std::string_view word();
  int64_t number(std::string_view what, int64_t most);
  static int64_t number_of(std::string_view text, std::string_view what, int64_t most);
  ImageMode mode() const;
  bool bits() const noexcept { return kind_ == '1' || kind_ == '4'; }
  uint32_t text_sample();
  uint32_t binary_sample();
  void read_bits(Image& picture);
  template <class T>
  void read_samples(Image& picture);

  std::string_view text_;
  const ImageLimits& limits_;
  size_t at_ = 2;
  char kind_ = 0;  // '1' to '7'
  int64_t width_ = 0, height_ = 0, channels_ = 1, most_ = 1;
};

// White space, and comments up to the end of their line.
void PnmDecoder::skip_space() {
  while (at_ < text_.size() && (is_space(text_[at_]) || text_[at_] == '#')) {
    if (text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size() - 1);
    ++at_;
  }
}

std::string_view PnmDecoder::word() {
  skip_space();
  const size_t start = at_;
  while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != '#') ++at_;
  if (start == at_) refuse("the file ends where a number is expected: it is cut off");
  return text_.substr(start, at_ - start);
}

int64_t PnmDecoder::number_of(std::string_view text, std::string_view what, int64_t most) {
  int64_t value = -1;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value < 0 || value > most) {
    refuse(std::string(what) + " is '" + std::string(text.substr(0, 20)) + "', not a number up to " + std::to_string(most));
  }
  return value;
}

int64_t PnmDecoder::number(std::string_view what, int64_t most) { return number_of(word(), what, most); }

void PnmDecoder::read_pam_line(std::string_view line) {
  const size_t space = line.find_first_of(" \t");
  if (line.empty() || line.front() == '#' || space == std::string_view::npos) return;
  const std::string_view key = line.substr(0, space);
  std::string_view value = line.substr(space);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
  if (key == "WIDTH") width_ = number_of(value, key, std::numeric_limits<int32_t>::max());
  if (key == "HEIGHT") height_ = number_of(value, key, std::numeric_limits<int32_t>::max());
  if (key == "DEPTH") channels_ = number_of(value, key, 4);
  if (key == "MAXVAL") most_ = number_of(value, key, 65535);
}

void PnmDecoder::read_pam_header() {
  while (true) {
    const size_t end = text_.find('\n', at_);
    if (end == std::string_view::npos) refuse("the header has no ENDHDR");
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    if (line.starts_with("ENDHDR")) return;
    read_pam_line(line);
  }
}

void PnmDecoder::read_header() {
  kind_ = text_[1];
  if (kind_ == '7') return read_pam_header();
  width_ = number("the width", std::numeric_limits<int32_t>::max());
  height_ = number("the height", std::numeric_limits<int32_t>::max());
  if (!bits()) most_ = number("the greatest sample", 65535);
  channels_ = kind_ == '3' || kind_ == '6' ? 3 : 1;
  if (kind_ >= '4') ++at_;  // a single space before the samples
}

ImageMode PnmDecoder::mode() const {
  constexpr ImageMode kNarrow[] = {ImageMode::kL, ImageMode::kLA, ImageMode::kRGB, ImageMode::kRGBA};
  constexpr ImageMode kWide[] = {ImageMode::kI16, ImageMode::kLA16, ImageMode::kRGB16, ImageMode::kRGBA16};
  return (most_ > 255 ? kWide : kNarrow)[channels_ - 1];
}

void PnmDecoder::check() const {
  if (channels_ < 1 || most_ < 1) refuse("the header promises samples of no channel or of no bit");
  check_header(width_, height_, channels_ * (most_ > 255 ? 2 : 1), bits() ? 8 : 1, text_.size(), limits_);
}

uint32_t PnmDecoder::text_sample() {
  const int64_t value = number("a sample", most_);
  return static_cast<uint32_t>(value);
}

uint32_t PnmDecoder::binary_sample() {
  const size_t size = most_ > 255 ? 2 : 1;
  if (at_ > text_.size() || text_.size() - at_ < size) refuse("the file ends in the middle of the picture: it is cut off");
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(text_[at_++]);
  if (value > most_) refuse("a sample is " + std::to_string(value) + ", the greatest is said to be " + std::to_string(most_));
  return value;
}

// A set bit is black.
void PnmDecoder::read_bits(Image& picture) {
  uint8_t* out = picture.mutable_samples<uint8_t>().data();
  for (int64_t y = 0; y < height_; ++y) {
    for (int64_t x = 0; x < width_; ++x) {
      if (kind_ == '1') {
        skip_space();
        if (at_ >= text_.size()) refuse("the file ends in the middle of the picture: it is cut off");
        const char c = text_[at_++];
        if (c != '0' && c != '1') refuse("a bit is neither 0 nor 1");
        *out++ = c == '1' ? 0 : 255;
      } else {
        if (at_ >= text_.size()) refuse("the file ends in the middle of the picture: it is cut off");
        *out++ = (static_cast<unsigned char>(text_[at_]) >> (7 - x % 8) & 1) != 0 ? 0 : 255;
        if (x % 8 == 7 || x + 1 == width_) ++at_;
      }
    }
  }
}

// Spread over the whole range of T, rounded.
template <class T>
void PnmDecoder::read_samples(Image& picture) {
  const uint32_t most = static_cast<uint32_t>(most_);
  for (T& out : picture.mutable_samples<T>()) {
    const uint32_t value = kind_ <= '3' ? text_sample() : binary_sample();
    out = static_cast<T>((uint64_t{value} * std::numeric_limits<T>::max() + most / 2) / most);
  }
}

Decoded PnmDecoder::decode() {
  read_header();
  check();
  Decoded decoded;
  decoded.picture = Image(mode(), static_cast<int>(width_), static_cast<int>(height_));
  if (bits()) {
    read_bits(decoded.picture);
  } else {
    with_sample_type(mode(), [&]<class T>(T) { read_samples<T>(decoded.picture); });
  }
  return decoded;
}

}  // namespace

Decoded decode_pnm(std::span<const std::byte> bytes, const ImageLimits& limits) { return PnmDecoder(bytes, limits).decode(); }

}  // namespace sardonyx::image
