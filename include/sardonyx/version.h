// The version of this library.
#pragma once

#include <string_view>

namespace sardonyx {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace sardonyx
