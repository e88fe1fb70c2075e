// Changes of mode: first the depth is brought down to 8 bits where the target has 8, then the colours are mapped, then the depth is
// brought up to 16 bits where the target has 16.
#include <algorithm>
#include <array>
#include <cstdint>

#include "image/pixels.h"
#include "sardonyx/image.h"

namespace sardonyx {
namespace {

enum class Colours { kGrey, kRgb, kYcc };

Colours colours_of(ImageMode mode) {
  if (mode == ImageMode::kYCbCr) return Colours::kYcc;
  return channel_count(mode) <= 2 ? Colours::kGrey : Colours::kRgb;
}

constexpr int kTableBits = 6;

// table[v] = coefficient * (v - origin) in fixed point of kTableBits, a half added, truncated towards zero: Pillow's rounding.
constexpr std::array<int16_t, 256> product_table(double coefficient, int origin) {
  std::array<int16_t, 256> table{};
  for (int v = 0; v < 256; ++v) {
    table[static_cast<size_t>(v)] = static_cast<int16_t>(coefficient * (1 << kTableBits) * (v - origin) + 0.5);
  }
  return table;
}

constexpr auto kYFromR = product_table(0.299, 0);
constexpr auto kYFromG = product_table(0.587, 0);
constexpr auto kYFromB = product_table(0.114, 0);
constexpr auto kCbFromR = product_table(-0.16874, 0);
constexpr auto kCbFromG = product_table(-0.33126, 0);
constexpr auto kCbFromB = product_table(0.5, 0);
constexpr auto kCrFromR = kCbFromB;
constexpr auto kCrFromG = product_table(-0.41869, 0);
constexpr auto kCrFromB = product_table(-0.08131, 0);
constexpr auto kRFromCr = product_table(1.402, 128);
constexpr auto kGFromCb = product_table(-0.34414, 128);
constexpr auto kGFromCr = product_table(-0.71414, 128);
constexpr auto kBFromCb = product_table(1.772, 128);

void rgb_to_ycc(const uint8_t* in, uint8_t* out) {
  const uint8_t r = in[0], g = in[1], b = in[2];
  out[0] = static_cast<uint8_t>((kYFromR[r] + kYFromG[g] + kYFromB[b]) >> kTableBits);
  out[1] = static_cast<uint8_t>(((kCbFromR[r] + kCbFromG[g] + kCbFromB[b]) >> kTableBits) + 128);
  out[2] = static_cast<uint8_t>(((kCrFromR[r] + kCrFromG[g] + kCrFromB[b]) >> kTableBits) + 128);
}

void ycc_to_rgb(const uint8_t* in, uint8_t* out) {
  const int y = in[0];
  const uint8_t cb = in[1], cr = in[2];
  out[0] = static_cast<uint8_t>(std::clamp(y + (kRFromCr[cr] >> kTableBits), 0, 255));
  out[1] = static_cast<uint8_t>(std::clamp(y + ((kGFromCb[cb] + kGFromCr[cr]) >> kTableBits), 0, 255));
  out[2] = static_cast<uint8_t>(std::clamp(y + (kBFromCb[cb] >> kTableBits), 0, 255));
}

void grey_to_ycc(const uint8_t* in, uint8_t* out) {
  out[0] = in[0];
  out[1] = out[2] = 128;
}

template <class T>
void copy_first(const T* in, T* out) {
  out[0] = in[0];
}

template <class T>
void copy_three(const T* in, T* out) {
  std::copy_n(in, 3, out);
}

template <class T>
void grey_to_rgb(const T* in, T* out) {
  out[0] = out[1] = out[2] = in[0];
}

template <class T>
void rgb_to_grey(const T* in, T* out) {
  out[0] = static_cast<T>((uint32_t{in[0]} * 19595 + uint32_t{in[1]} * 38470 + uint32_t{in[2]} * 7471 + 0x8000) >> 16);
}

template <auto kMap, class T>
void map_pixels(const Image& source, Image& result) {
  const size_t in_step = static_cast<size_t>(source.channels());
  const size_t out_step = static_cast<size_t>(result.channels());
  const T* in = source.samples<T>().data();
  T* out = result.mutable_samples<T>().data();
  for (int64_t left = source.pixel_count(); left > 0; --left, in += in_step, out += out_step) kMap(in, out);
}

template <class T>
void map_alpha(const Image& source, Image& result) {
  if (!has_alpha(result.mode())) return;
  const size_t in_step = static_cast<size_t>(source.channels());
  const size_t out_step = static_cast<size_t>(result.channels());
  const T* in = source.samples<T>().data() + in_step - 1;
  T* out = result.mutable_samples<T>().data() + out_step - 1;
  const bool copy = has_alpha(source.mode());
  for (int64_t left = source.pixel_count(); left > 0; --left, in += in_step, out += out_step) *out = copy ? *in : static_cast<T>(~T{0});
}

template <class T>
void map_grey_and_rgb(const Image& source, Image& result) {
  const bool from_grey = colours_of(source.mode()) == Colours::kGrey;
  const bool to_grey = colours_of(result.mode()) == Colours::kGrey;
  if (from_grey) {
    to_grey ? map_pixels<copy_first<T>, T>(source, result) : map_pixels<grey_to_rgb<T>, T>(source, result);
  } else {
    to_grey ? map_pixels<rgb_to_grey<T>, T>(source, result) : map_pixels<copy_three<T>, T>(source, result);
  }
}

void map_from_ycc(const Image& source, Image& result) {
  const bool to_grey = colours_of(result.mode()) == Colours::kGrey;
  to_grey ? map_pixels<copy_first<uint8_t>, uint8_t>(source, result) : map_pixels<ycc_to_rgb, uint8_t>(source, result);
}

void map_to_ycc(const Image& source, Image& result) {
  const bool from_grey = colours_of(source.mode()) == Colours::kGrey;
  from_grey ? map_pixels<grey_to_ycc, uint8_t>(source, result) : map_pixels<rgb_to_ycc, uint8_t>(source, result);
}

// Both modes have the same depth and differ.
Image recolour(const Image& source, ImageMode mode) {
  Image result(mode, source.width(), source.height());
  image::with_sample_type(mode, [&]<class T>(T) {
    if (source.mode() == ImageMode::kYCbCr) {
      map_from_ycc(source, result);
    } else if (mode == ImageMode::kYCbCr) {
      map_to_ycc(source, result);
    } else {
      map_grey_and_rgb<T>(source, result);
    }
    map_alpha<T>(source, result);
  });
  return result;
}

Image narrowed(const Image& source) {
  Image result(eight_bit_mode(source.mode()), source.width(), source.height());
  std::ranges::transform(source.samples<uint16_t>(), result.mutable_samples<uint8_t>().begin(),
                         [](uint16_t v) { return static_cast<uint8_t>((v + 128) / 257); });
  return result;
}

Image widened(const Image& source, ImageMode mode) {
  Image result(mode, source.width(), source.height());
  std::ranges::transform(source.samples<uint8_t>(), result.mutable_samples<uint16_t>().begin(),
                         [](uint8_t v) { return static_cast<uint16_t>(v * 257); });
  return result;
}

}  // namespace

Image convert(const Image& source, ImageMode mode) {
  image::expect_pixels(source, "convert");
  if (source.mode() == mode) return source;
  const int from_bits = sample_bits(source.mode());
  const int to_bits = sample_bits(mode);
  if (from_bits > to_bits) return convert(narrowed(source), mode);
  if (from_bits < to_bits) return widened(convert(source, eight_bit_mode(mode)), mode);
  return recolour(source, mode);
}

}  // namespace sardonyx
