// Dispatch on the size of an element instead of its type, for what only moves elements.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "ops/facts.h"

namespace sardonyx::ops {

struct SixteenBytes {
  std::array<uint64_t, 2> bits;
};

// Calls body.template operator()<T>() with a type of that element's size: an unsigned integer, SixteenBytes, or std::string for strings.
// Throws Unsupported for packed types.
template <class Body>
decltype(auto) with_element(DType dtype, Body&& body) {
  if (dtype == DType::kString) return std::forward<Body>(body).template operator()<std::string>();
  switch (element_bytes(dtype)) {
    case 1:
      return std::forward<Body>(body).template operator()<uint8_t>();
    case 2:
      return std::forward<Body>(body).template operator()<uint16_t>();
    case 4:
      return std::forward<Body>(body).template operator()<uint32_t>();
    case 8:
      return std::forward<Body>(body).template operator()<uint64_t>();
    default:
      return std::forward<Body>(body).template operator()<SixteenBytes>();
  }
}

}  // namespace sardonyx::ops
