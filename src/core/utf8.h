// UTF-8 as Unicode defines it.
#pragma once

#include <cstddef>
#include <string_view>

namespace sardonyx::core {

// Length of the UTF-8 sequence that begins at text[at]; 0 if it is none. Overlong forms and surrogates are none.
size_t utf8_length(std::string_view text, size_t at) noexcept;
bool is_utf8(std::string_view text) noexcept;

}  // namespace sardonyx::core
