// Upper and lower case of UTF-8 text, character by character, as the C.UTF-8 locale knows it.
#pragma once

#include <string>
#include <string_view>

namespace sardonyx::ops {

enum class CaseChange { kNone, kLower, kUpper };

// Bytes that are no UTF-8 stay as they are. Throws Unsupported where the system has no C.UTF-8 locale.
std::string change_case(std::string_view text, CaseChange change);

}  // namespace sardonyx::ops
