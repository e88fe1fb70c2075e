// "Did you mean": names close to one that was not found.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sardonyx::core {

// "; did you mean 'conv1.weight'?" with the candidate of least edit distance, if any is near; else "; it has 'a', 'b', ..." with the
// first few; "" where there is no candidate.
std::string closest_hint(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace sardonyx::core
