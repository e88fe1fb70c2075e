#include <webp/decode.h>

#include "image/codec.h"

namespace sardonyx::image {
namespace {

const char* reason_of(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "the memory for it cannot be had";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "it uses a feature that is not supported";
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return "the file ends in the middle of the picture: it is cut off";
    default:
      return "the picture is damaged";
  }
}

void expect_ok(VP8StatusCode status) {
  if (status == VP8_STATUS_OK) return;
  const ErrorCode code = status == VP8_STATUS_OUT_OF_MEMORY         ? ErrorCode::kResourceLimit
                         : status == VP8_STATUS_UNSUPPORTED_FEATURE ? ErrorCode::kUnsupported
                                                                    : ErrorCode::kInvalidArgument;
  throw Error(code, reason_of(status));
}

}  // namespace

Decoded decode_webp(std::span<const std::byte> bytes, const ImageLimits& limits) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) throw Error(ErrorCode::kInternal, "another version of libwebp is in the way");
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  expect_ok(WebPGetFeatures(data, bytes.size(), &config.input));
  if (config.input.has_animation != 0) throw Error(ErrorCode::kUnsupported, "an animation: only still pictures are supported");
  const ImageMode mode = config.input.has_alpha != 0 ? ImageMode::kRGBA : ImageMode::kRGB;
  // Both the lossy and the lossless kind may fill any area with next to no bytes; the decoder's own planes take about as much again.
  check_header(config.input.width, config.input.height, channel_count(mode) + 4, Image::kMaxPixels, bytes.size(), limits);
  Decoded decoded;
  decoded.picture = Image(mode, config.input.width, config.input.height);
  const std::span<uint8_t> samples = decoded.picture.mutable_samples<uint8_t>();
  config.output.colorspace = mode == ImageMode::kRGBA ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {samples.data(), config.input.width * channel_count(mode), samples.size()};
  const VP8StatusCode status = WebPDecode(data, bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  expect_ok(status);
  return decoded;
}

}  // namespace sardonyx::image
