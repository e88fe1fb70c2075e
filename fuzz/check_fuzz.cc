// Any bytes as a model: an Error that is no defect of ours, or a model that the checker reports on, in full, as text and as JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sardonyx/check.h"
#include "sardonyx/error.h"

namespace {

using sardonyx::CheckReport;
using sardonyx::Error;
using sardonyx::ErrorCode;
namespace model = sardonyx::model;

constexpr model::ReadLimits kLimits{
    .max_file_bytes = 1 << 24, .max_depth = 64, .max_messages = 1 << 18, .max_elements = 1 << 20, .max_memory = 1 << 27};

void expect_consistent(const CheckReport& report) {
  if (report.problems.size() > report.errors + report.unrunnable + report.warnings) std::abort();
  for (const sardonyx::Problem& problem : report.problems) {
    if (problem.code.empty() || problem.where.empty() || problem.message.empty()) std::abort();
  }
  if (to_string(report).empty() || to_json(report).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  model::Model parsed;
  try {
    parsed = model::parse_model({reinterpret_cast<const char*>(data), size}, nullptr, {.limits = kLimits, .external_data = false});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidModel && error.code() != ErrorCode::kResourceLimit) std::abort();
    return 0;
  }
  const CheckReport plain = sardonyx::check_model(parsed);
  const CheckReport full = sardonyx::check_model(parsed, {.max_problems = 50, .full = true, .limits = {}});
  expect_consistent(plain);
  expect_consistent(full);
  if (full.errors < plain.errors) std::abort();
  return 0;
}
