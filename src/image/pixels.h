// Turns run-time facts of an image (sample type, channel count) into compile-time ones for inner loops.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "sardonyx/image.h"

namespace sardonyx::image {

// Calls body(T{}) with the sample type T of the mode.
template <class Body>
decltype(auto) with_sample_type(ImageMode mode, Body&& body) {
  if (sample_bits(mode) == 8) return std::forward<Body>(body)(uint8_t{});
  return std::forward<Body>(body)(uint16_t{});
}

// Calls body(std::integral_constant<int, C>{}) with C = channels, which is 1 to 4.
template <class Body>
decltype(auto) with_channels(int channels, Body&& body) {
  switch (channels) {
    case 1:
      return std::forward<Body>(body)(std::integral_constant<int, 1>{});
    case 2:
      return std::forward<Body>(body)(std::integral_constant<int, 2>{});
    case 3:
      return std::forward<Body>(body)(std::integral_constant<int, 3>{});
    default:
      return std::forward<Body>(body)(std::integral_constant<int, 4>{});
  }
}

// Throws InvalidArgument, or ResourceLimit beyond Image's bounds; returns the number of pixels.
int64_t checked_pixel_count(int64_t width, int64_t height);

// Throws InvalidArgument for an empty image, naming the function that refuses it.
void expect_pixels(const Image& image, std::string_view function);

}  // namespace sardonyx::image
