// Numbers and strings as pickles spell them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sardonyx::checkpoint {

// All throw Error InvalidModel for text that is not what it should be.

int64_t parse_int(std::string_view text);
uint64_t parse_index(std::string_view text);  // not negative
double parse_float(std::string_view text);    // with inf and nan
bool fits_int64(std::string_view text) noexcept;
// The text itself, if it is a decimal number of a sane length.
std::string_view checked_digits(std::string_view text);

// LONG1, LONG4: two's complement, little-endian, empty for 0.
std::optional<int64_t> small_long(std::span<const std::byte> bytes) noexcept;  // if it fits
std::string long_digits(std::span<const std::byte> bytes);                     // decimal; ResourceLimit beyond 1024 bytes

// A Python string literal with its quotes and escapes.
std::string decode_string_literal(std::string_view text);
// raw-unicode-escape: latin-1 with \uXXXX and \UXXXXXXXX. As UTF-8.
std::string decode_raw_unicode(std::string_view text);

}  // namespace sardonyx::checkpoint
