// Bounded reading of the integers in a header, in the byte order that it has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "sardonyx/error.h"

namespace sardonyx::image {

struct OrderedBytes {
  std::span<const std::byte> bytes;
  bool big_endian = false;

  // Of 1 to 4 bytes; nothing where they are not all there.
  std::optional<uint32_t> integer(size_t at, size_t size) const noexcept {
    if (at > bytes.size() || bytes.size() - at < size) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      value = value << 8 | std::to_integer<uint32_t>(bytes[at + (big_endian ? i : size - 1 - i)]);
    }
    return value;
  }

  // Likewise; throws InvalidArgument where the file ends before.
  uint32_t needed(size_t at, size_t size) const {
    if (const std::optional<uint32_t> value = integer(at, size)) return *value;
    throw Error(ErrorCode::kInvalidArgument, "the file ends within its header: it is cut off");
  }
};

}  // namespace sardonyx::image
