// A report of differences as text and as JSON.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sardonyx/edit.h"

namespace sardonyx {

std::string to_string(const DiffReport& report) {
  if (report.equal()) return "equal\n";
  std::string text;
  for (const Difference& difference : report.differences) {
    text += fmt::format("{}: {}", difference.path, difference.what);
    const bool one_sided = difference.what == "only in A" || difference.what == "only in B";
    if (one_sided) {
      text += fmt::format(": {}{}\n", difference.a, difference.b);
    } else if (difference.a.empty() && difference.b.empty()) {
      text += "\n";
    } else {
      text += fmt::format("\n    A: {}\n    B: {}\n", difference.a, difference.b);
    }
  }
  const size_t count = report.differences.size() + report.left_out;
  text += fmt::format("{} difference{}", count, count == 1 ? "" : "s");
  return text + (report.left_out > 0 ? fmt::format(", {} of them not shown\n", report.left_out) : "\n");
}

std::string to_json(const DiffReport& report) {
  nlohmann::ordered_json differences = nlohmann::ordered_json::array();
  for (const Difference& difference : report.differences) {
    differences.push_back({{"path", difference.path}, {"what", difference.what}, {"a", difference.a}, {"b", difference.b}});
  }
  const nlohmann::ordered_json whole = {{"equal", report.equal()}, {"differences", differences}, {"left_out", report.left_out}};
  // Names in a damaged model need not be UTF-8.
  return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace sardonyx
