#include "image/codec.h"

#include <array>
#include <cstdio>
#include <new>

#include "core/mapped_file.h"
#include "image/orientation.h"
#include "image/pixels.h"

namespace sardonyx {
namespace image {
namespace {

bool starts_with(std::span<const std::byte> bytes, std::string_view signature) {
  if (bytes.size() < signature.size()) return false;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), signature.size()) == signature;
}

// What the bytes look like, for the message that refuses them.
std::string describe_content(std::span<const std::byte> bytes) {
  struct Signature {
    std::string_view start;
    std::string_view name;
  };
  static constexpr std::array<Signature, 6> kOthers = {{{"GIF8", "a GIF"},
                                                        {"BM", "a BMP"},
                                                        {"RIFF", "a WebP or another RIFF file"},
                                                        {std::string_view("II*\0", 4), "a TIFF"},
                                                        {std::string_view("MM\0*", 4), "a TIFF"},
                                                        {std::string_view("\0\0\0\x0cjP", 6), "a JPEG 2000"}}};
  if (bytes.empty()) return "it is empty";
  for (const Signature& other : kOthers) {
    if (starts_with(bytes, other.start)) return "it looks like " + std::string(other.name) + ": convert it to PNG or JPEG";
  }
  return "its first bytes are the signature of neither";
}

}  // namespace

bool is_jpeg(std::span<const std::byte> bytes) noexcept { return starts_with(bytes, "\xff\xd8\xff"); }
bool is_png(std::span<const std::byte> bytes) noexcept { return starts_with(bytes, "\x89PNG\r\n\x1a\n"); }

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
  image::Decoded decoded;
  if (image::is_jpeg(bytes)) {
    decoded = with_trail([] { return "JPEG"; }, [&] { return image::decode_jpeg(bytes, options.limits); });
  } else if (image::is_png(bytes)) {
    decoded = with_trail([] { return "PNG"; }, [&] { return image::decode_png(bytes, options.limits); });
  } else {
    throw Error(ErrorCode::kInvalidArgument, "not a JPEG or PNG file: " + image::describe_content(bytes));
  }
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
