// What the codecs offer to the functions that pick one by content or by extension, and how they survive their C libraries' longjmp.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/image.h"

namespace sardonyx::image {

struct Decoded {
  Image picture;
  int orientation = 1;  // EXIF's, 1 to 8; the picture is as stored
};

Decoded decode_bmp(std::span<const std::byte> bytes, const ImageLimits& limits);
Decoded decode_jpeg(std::span<const std::byte> bytes, const ImageLimits& limits);
Decoded decode_jpeg2000(std::span<const std::byte> bytes, const ImageLimits& limits);
Decoded decode_png(std::span<const std::byte> bytes, const ImageLimits& limits);
Decoded decode_pnm(std::span<const std::byte> bytes, const ImageLimits& limits);
Decoded decode_tiff(std::span<const std::byte> bytes, const ImageLimits& limits);
Decoded decode_webp(std::span<const std::byte> bytes, const ImageLimits& limits);

// Throws unless the picture that a header promises is within the limits. `most_pixels_per_byte` is what the format can squeeze into a
// byte at best: a file too short for its promise is cut off, which is found here before memory is taken for it.
void check_header(int64_t width, int64_t height, int64_t bytes_per_pixel, int64_t most_pixels_per_byte, size_t file_bytes,
                  const ImageLimits& limits);

// Appends, and says whether the memory could be had: for callbacks, through which no exception may pass.
bool append_bytes(std::vector<std::byte>& out, const unsigned char* data, size_t size) noexcept;

// Where a C library's error callback leaves its message and jumps to.
struct Escape {
  std::jmp_buf target;
  ErrorCode code = ErrorCode::kInvalidArgument;
  char message[256] = "";

  [[noreturn]] void leave(ErrorCode reason, const char* text) noexcept;
};

// Runs `step`, which calls the C library, and throws what its error callback reported. `step` must hold no object with a destructor
// while it does so: the jump would skip it.
template <class Step>
[[gnu::noinline]] void guarded(Escape& escape, const Step& step) {
  if (setjmp(escape.target) != 0) throw Error(escape.code, escape.message);
  step();
}

}  // namespace sardonyx::image
