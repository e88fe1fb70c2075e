#include "check/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>

namespace sardonyx {

namespace {
constexpr std::array kCodes = {
#define SARDONYX_X(name, code, severity, meaning) CheckCode{code, Severity::severity, meaning},
    SARDONYX_CHECK_CODES(SARDONYX_X)
#undef SARDONYX_X
};

std::string_view to_string(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }
}  // namespace

std::vector<CheckCode> check_codes() { return {kCodes.begin(), kCodes.end()}; }

std::string to_string(const CheckReport& report) {
  std::string text;
  for (const Problem& problem : report.problems) {
    text += fmt::format("{}[{}]: {}\n    {}\n", to_string(problem.severity), problem.code, problem.where, problem.message);
    if (!problem.cure.empty()) text += fmt::format("    cure: {}\n", problem.cure);
  }
  const size_t hidden = report.errors + report.warnings - report.problems.size();
  if (hidden > 0) text += fmt::format("... and {} more\n", hidden);
  const auto plural = [](size_t count, std::string_view noun) { return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s"); };
  text +=
      fmt::format("{}: {}, {}\n", report.valid() ? "valid" : "invalid", plural(report.errors, "error"), plural(report.warnings, "warning"));
  return text;
}

std::string to_json(const CheckReport& report) {
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  for (const Problem& problem : report.problems) {
    problems.push_back({{"code", problem.code},
                        {"severity", to_string(problem.severity)},
                        {"where", problem.where},
                        {"message", problem.message},
                        {"cure", problem.cure}});
  }
  const nlohmann::ordered_json whole = {
      {"valid", report.valid()}, {"errors", report.errors}, {"warnings", report.warnings}, {"problems", problems}};
  // Names in a damaged model need not be UTF-8.
  return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

namespace check {

void Reporter::add(Code code, std::string message, std::string cure) {
  const CheckCode& row = kCodes[static_cast<size_t>(code)];
  ++(row.severity == Severity::kError ? report_.errors : report_.warnings);
  if (report_.problems.size() >= max_problems_) return;
  const std::string where = path_.empty() ? "model" : fmt::format("{}", fmt::join(path_, " / "));
  report_.problems.push_back({row.code, row.severity, where, std::move(message), std::move(cure)});
}

}  // namespace check
}  // namespace sardonyx
