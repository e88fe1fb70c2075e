// Checks a model against the ONNX specification and reports every problem, not only the first.
//
//   sardonyx::CheckReport report = sardonyx::check_model(model);
//   if (!report.valid()) fputs(to_string(report).c_str(), stderr);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx {

enum class Severity {
  kError,    // the model breaks the specification
  kWarning,  // allowed, but hardly meant
};

// One problem. `code` is stable and explained in docs/checks.md.
struct Problem {
  std::string_view code;  // "undefined-input"
  Severity severity = Severity::kError;
  std::string where;    // "graph 'main' / node 'if1' (If) / then_branch / node with output 'y' (Add)"
  std::string message;  // what was expected and what was found
  std::string cure;     // what to do about it; may be empty
};

struct CheckOptions {
  size_t max_problems = 1000;  // further ones are counted, not kept
};

struct CheckReport {
  std::vector<Problem> problems;
  size_t errors = 0;  // all found, also those beyond CheckOptions::max_problems
  size_t warnings = 0;
  bool valid() const noexcept { return errors == 0; }
};

// Never throws for anything in the model. Time is proportional to the model's size without its weights.
CheckReport check_model(const model::Model& model, const CheckOptions& options = {});

// One paragraph per problem, then a line that counts them.
std::string to_string(const CheckReport& report);
// {"valid": false, "errors": 1, "warnings": 0, "problems": [{"code": ..., "severity": ..., "where": ..., "message": ..., "cure": ...}]}
std::string to_json(const CheckReport& report);

// All codes with a line that explains each, sorted by code.
struct CheckCode {
  std::string_view code;
  Severity severity;
  std::string_view meaning;
};
std::vector<CheckCode> check_codes();

}  // namespace sardonyx
