// Decodes the input as an image under small limits and resizes what comes out of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "sardonyx/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sardonyx::DecodeOptions options;
  options.limits.max_pixels = 1'000'000;
  options.limits.max_bytes = 32'000'000;
  options.limits.max_scans = 20;
  sardonyx::Image decoded;
  try {
    decoded = sardonyx::decode_image(std::as_bytes(std::span(data, size)), options);
  } catch (const sardonyx::Error& error) {
    if (error.code() == sardonyx::ErrorCode::kInternal) std::abort();
    return 0;
  }
  const sardonyx::Image small = sardonyx::resize(decoded, 7, 5);
  if (small.width() != 7 || small.height() != 5 || small.mode() != decoded.mode()) std::abort();
  return 0;
}
