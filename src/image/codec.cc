#include "image/codec.h"

#include <algorithm>
#include <cstdio>
#include <new>

#include "core/mapped_file.h"
#include "image/orientation.h"
#include "image/pixels.h"

namespace sardonyx {
namespace image {
namespace {

struct Format {
  std::string_view name;
  bool (*is)(std::string_view bytes);
  Decoded (*decode)(std::span<const std::byte> bytes, const ImageLimits& limits);
};

using std::string_view_literals::operator""sv;

constexpr Format kFormats[] = {
    {"JPEG", [](std::string_view b) { return b.starts_with("\xff\xd8\xff"); }, decode_jpeg},
    {"PNG", [](std::string_view b) { return b.starts_with("\x89PNG\r\n\x1a\n"); }, decode_png},
    {"BMP", [](std::string_view b) { return b.starts_with("BM"); }, decode_bmp},
    {"TIFF",
     [](std::string_view b) {
       return b.starts_with("II*\0"sv) || b.starts_with("MM\0*"sv) || b.starts_with("II+\0"sv) || b.starts_with("MM\0+"sv);
     },
     decode_tiff},
    {"WebP", [](std::string_view b) { return b.starts_with("RIFF") && b.substr(0, 12).ends_with("WEBP"); }, decode_webp},
    {"JPEG 2000", [](std::string_view b) { return b.starts_with("\0\0\0\x0cjP  \r\n\x87\n"sv) || b.starts_with("\xff\x4f\xff\x51"); },
     decode_jpeg2000},
    {"PNM", [](std::string_view b) { return b.size() > 2 && b[0] == 'P' && b[1] >= '1' && b[1] <= '7'; }, decode_pnm},
};

[[noreturn]] void refuse_content(std::string_view text) {
  std::string names, seen = "its first bytes are the signature of none";
  for (const Format& format : kFormats) names += (names.empty() ? "" : ", ") + std::string(format.name);
  if (text.empty()) seen = "it is empty";
  if (text.starts_with("GIF8")) seen = "it looks like a GIF: convert it to PNG";
  throw Error(ErrorCode::kInvalidArgument, "not a picture of a known format (" + names + "): " + seen);
}

}  // namespace

void check_header(int64_t width, int64_t height, int64_t bytes_per_pixel, int64_t most_pixels_per_byte, size_t file_bytes,
                  const ImageLimits& limits) {
  const int64_t pixels = checked_pixel_count(width, height);
  const std::string promised = "the header promises " + std::to_string(width) + " x " + std::to_string(height) + " pixels";
  if (pixels > limits.max_pixels) {
    throw Error(ErrorCode::kResourceLimit, promised + ", the limit is " + std::to_string(limits.max_pixels) + " (ImageLimits::max_pixels)");
  }
  if (pixels * bytes_per_pixel > limits.max_bytes) {
    throw Error(ErrorCode::kResourceLimit, promised + " in " + std::to_string(pixels * bytes_per_pixel) + " bytes, the limit is " +
                                               std::to_string(limits.max_bytes) + " (ImageLimits::max_bytes)");
  }
  if (file_bytes < static_cast<uint64_t>(pixels / most_pixels_per_byte)) {
    throw Error(ErrorCode::kInvalidArgument,
                promised + ", which " + std::to_string(file_bytes) + " bytes cannot hold: the file is cut off or damaged");
  }
}

bool append_bytes(std::vector<std::byte>& out, const unsigned char* data, size_t size) noexcept {
  try {
    const std::byte* bytes = reinterpret_cast<const std::byte*>(data);
    out.insert(out.end(), bytes, bytes + size);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Escape::leave(ErrorCode reason, const char* text) noexcept {
  code = reason;
  std::snprintf(message, sizeof message, "%s", text);
  std::longjmp(target, 1);
}

}  // namespace image

namespace {

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

std::vector<std::byte> encode_as(const std::string& extension, const Image& picture, const WriteOptions& options) {
  if (extension == ".png") return encode_png(picture, options.png);
  if (extension == ".jpg" || extension == ".jpeg") return encode_jpeg(picture, options.jpeg);
  throw Error(ErrorCode::kInvalidArgument,
              "the extension '" + extension + "' names no format that can be written: use .png, .jpg or .jpeg");
}

}  // namespace

Image decode_image(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto* format = std::ranges::find_if(image::kFormats, [&](const image::Format& f) { return f.is(text); });
  if (format == std::end(image::kFormats)) image::refuse_content(text);
  image::Decoded decoded = with_trail([&] { return std::string(format->name); }, [&] { return format->decode(bytes, options.limits); });
  if (!options.apply_orientation || decoded.orientation == 1) return std::move(decoded.picture);
  return image::turned_upright(decoded.picture, decoded.orientation);
}

Image read_image(const std::filesystem::path& path, const DecodeOptions& options) {
  const auto file = core::MappedFile::open(path);
  return with_trail([&] { return path.string(); }, [&] { return decode_image(file->bytes(), options); });
}

void write_image(const std::filesystem::path& path, const Image& picture, const WriteOptions& options) {
  const std::vector<std::byte> bytes =
      with_trail([&] { return path.string(); }, [&] { return encode_as(lower_extension(path), picture, options); });
  core::AtomicFile file(path);
  file.write(std::span<const std::byte>(bytes));
  file.commit();
}

}  // namespace sardonyx
