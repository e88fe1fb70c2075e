// Text that comes from files: is it UTF-8, and how is it shown in a message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sardonyx::checkpoint {

// Well-formed UTF-8: shortest forms only, no surrogates, at most U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

// Appends the UTF-8 form of a code point; false for surrogates and beyond U+10FFFF.
bool append_utf8(std::string& out, uint32_t code_point);

// In single quotes, control and non-ASCII bytes as \xHH, long text cut: safe to print.
std::string quote(std::string_view text);

}  // namespace sardonyx::checkpoint
