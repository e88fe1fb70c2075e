#include "core/closest.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace sardonyx::core {

namespace {
constexpr size_t kLongest = 256;  // longer names are not compared: the cost is quadratic
constexpr size_t kListed = 6;

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}
}  // namespace

std::string closest_hint(std::string_view name, std::span<const std::string_view> candidates) {
  if (candidates.empty()) return "";
  size_t least = name.size() / 3 + 1;  // a third of the letters may differ
  const std::string_view* best = nullptr;
  for (const std::string_view& candidate : candidates.first(std::min<size_t>(candidates.size(), 10000))) {
    if (name.size() > kLongest || candidate.size() > kLongest) continue;
    const size_t distance = edit_distance(name, candidate);
    if (distance < least) {
      least = distance;
      best = &candidate;
    }
  }
  if (best != nullptr) return fmt::format("; did you mean '{}'?", *best);
  std::string list = "; it has";
  for (size_t i = 0; i < std::min(candidates.size(), kListed); ++i) list += fmt::format("{} '{}'", i == 0 ? "" : ",", candidates[i]);
  if (candidates.size() > kListed) list += fmt::format(" and {} more", candidates.size() - kListed);
  return list;
}

}  // namespace sardonyx::core
