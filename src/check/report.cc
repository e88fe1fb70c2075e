#include "check/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>

#include "check/names.h"

namespace sardonyx {

namespace {
constexpr std::array kCodes = {
#define SARDONYX_X(name, code, severity, meaning) CheckCode{code, Severity::severity, meaning},
    SARDONYX_CHECK_CODES(SARDONYX_X)
#undef SARDONYX_X
};

std::string_view to_string(Severity severity) {
  constexpr std::array<std::string_view, 3> kNames = {"error", "unrunnable", "warning"};
  return kNames[static_cast<size_t>(severity)];
}

std::string_view verdict(const CheckReport& report) {
  if (!report.valid()) return "invalid";
  return report.runnable() ? "valid" : "valid, but cannot be run";
}
}  // namespace

std::vector<CheckCode> check_codes() { return {kCodes.begin(), kCodes.end()}; }

std::string to_string(const CheckReport& report) {
  std::string text;
  for (const Problem& problem : report.problems) {
    text += fmt::format("{}[{}]: {}\n    {}\n", to_string(problem.severity), problem.code, problem.where, problem.message);
    if (!problem.chain.empty()) text += fmt::format("    chain: {}\n", fmt::join(problem.chain, " -> "));
    if (!problem.cure.empty()) text += fmt::format("    cure: {}\n", problem.cure);
  }
  const size_t hidden = report.errors + report.unrunnable + report.warnings - report.problems.size();
  if (hidden > 0) text += fmt::format("... and {} more\n", hidden);
  const auto plural = [](size_t count, std::string_view noun) { return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s"); };
  const std::string unrunnable = report.unrunnable > 0 ? fmt::format("{} unrunnable, ", report.unrunnable) : "";
  text += fmt::format("{}: {}, {}{}\n", verdict(report), plural(report.errors, "error"), unrunnable, plural(report.warnings, "warning"));
  return text;
}

std::string to_json(const CheckReport& report) {
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  for (const Problem& problem : report.problems) {
    problems.push_back({{"code", problem.code},
                        {"severity", to_string(problem.severity)},
                        {"where", problem.where},
                        {"message", problem.message},
                        {"expected", problem.expected},
                        {"found", problem.found},
                        {"cure", problem.cure},
                        {"chain", nlohmann::ordered_json(problem.chain)}});
  }
  const nlohmann::ordered_json whole = {{"valid", report.valid()},         {"runnable", report.runnable()}, {"errors", report.errors},
                                        {"unrunnable", report.unrunnable}, {"warnings", report.warnings},   {"problems", problems}};
  // Names in a damaged model need not be UTF-8.
  return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

namespace check {

static_assert(kCodes.size() <= 64, "codes_ has a bit for each");

namespace {
constexpr size_t kNameLength = 120, kTextLength = 1000;

// Not in the middle of a UTF-8 sequence.
std::string_view clipped(std::string_view text, size_t length) {
  if (text.size() <= length) return text;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  return text.substr(0, length);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  const std::string_view shown = clipped(text, kTextLength);
  result.reserve(shown.size());
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  if (shown.size() < text.size()) result += "...";
  return result;
}

std::string quote(std::string_view name) {
  const std::string_view shown = clipped(name, kNameLength);
  return fmt::format("'{}{}'", shown, shown.size() < name.size() ? "..." : "");
}

std::string Reporter::where() const {
  if (path_.empty()) return "model";
  std::string text;
  for (const Place& place : path_) {
    if (!text.empty()) text += " / ";
    text += printable(place.node == nullptr ? place.text : model::describe(*place.node));
  }
  return text;
}

void Reporter::add_at(std::string where, Finding finding, std::vector<std::string> chain) {
  const CheckCode& row = kCodes[static_cast<size_t>(finding.code)];
  const Severity severity = finding.severity.value_or(row.severity);
  const bool is_error = severity == Severity::kError;
  ++(is_error ? report_.errors : severity == Severity::kUnrunnable ? report_.unrunnable : report_.warnings);
  codes_ |= uint64_t{1} << static_cast<int>(finding.code);
  if (report_.problems.size() >= max_problems_) return;
  if (is_error) places_.insert(where);
  for (std::string& step : chain) step = printable(step);
  report_.problems.push_back({row.code, severity, std::move(where), printable(finding.message), printable(finding.expected),
                              printable(finding.found), printable(finding.cure), std::move(chain)});
}

void Reporter::add(Finding finding) {
  const bool kept = report_.problems.size() < max_problems_;
  std::vector<std::string> chain;
  if (kept && names_ != nullptr && !finding.value.empty()) chain = names_->chain(finding.value);
  add_at(kept ? where() : std::string(), std::move(finding), std::move(chain));
}

}  // namespace check
}  // namespace sardonyx
