#include "image/orientation.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "image/ordered_bytes.h"
#include "image/pixels.h"

namespace sardonyx::image {
namespace {

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kShort = 3;
constexpr uint32_t kLong = 4;
constexpr size_t kEntryBytes = 12;

std::optional<uint32_t> orientation_entry(const OrderedBytes& tiff) noexcept {
  const std::optional<uint32_t> directory = tiff.integer(4, 4);
  if (!directory) return std::nullopt;
  const std::optional<uint32_t> count = tiff.integer(*directory, 2);
  if (!count) return std::nullopt;
  for (size_t i = 0; i < *count; ++i) {
    const size_t entry = size_t{*directory} + 2 + i * kEntryBytes;
    const std::optional<uint32_t> tag = tiff.integer(entry, 2);
    if (!tag) return std::nullopt;
    if (*tag != kOrientationTag) continue;
    const std::optional<uint32_t> type = tiff.integer(entry + 2, 2);
    if (type == kShort) return tiff.integer(entry + 8, 2);
    if (type == kLong) return tiff.integer(entry + 8, 4);
    return std::nullopt;
  }
  return std::nullopt;
}

bool starts_with(std::span<const std::byte> bytes, std::string_view start) noexcept {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).starts_with(start);
}

}  // namespace

int exif_orientation(std::span<const std::byte> exif) noexcept {
  constexpr std::string_view kPrefix("Exif\0\0", 6);
  if (starts_with(exif, kPrefix)) exif = exif.subspan(kPrefix.size());
  OrderedBytes tiff{exif};
  if (starts_with(exif, std::string_view("MM\0*", 4))) {
    tiff.big_endian = true;
  } else if (!starts_with(exif, std::string_view("II*\0", 4))) {
    return 1;
  }
  const uint32_t value = orientation_entry(tiff).value_or(1);
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

Image turned_upright(const Image& stored, int orientation) {
  const bool transposed = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int width = stored.width();
  const int height = stored.height();
  Image result(stored.mode(), transposed ? height : width, transposed ? width : height);
  // Offsets in pixels: of the source of the upper left pixel, and from there one column to the right and one row down.
  const ptrdiff_t start = (from_right ? width - 1 : 0) + (from_bottom ? ptrdiff_t{height - 1} * width : 0);
  const ptrdiff_t along_row = from_right ? -1 : 1;
  const ptrdiff_t along_column = from_bottom ? -ptrdiff_t{width} : ptrdiff_t{width};
  const ptrdiff_t right = transposed ? along_column : along_row;
  const ptrdiff_t down = transposed ? along_row : along_column;
  with_sample_type(stored.mode(), [&]<class T>(T) {
    const ptrdiff_t channels = stored.channels();
    const T* in = stored.samples<T>().data();
    T* out = result.mutable_samples<T>().data();
    for (int y = 0; y < result.height(); ++y) {
      for (int x = 0; x < result.width(); ++x) {
        const T* pixel = in + (start + x * right + y * down) * channels;
        for (ptrdiff_t c = 0; c < channels; ++c) *out++ = pixel[c];
      }
    }
  });
  return result;
}

}  // namespace sardonyx::image
