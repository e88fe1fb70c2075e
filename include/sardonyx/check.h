// Checks a model against the ONNX specification and reports every problem, not only the first.
//
//   sardonyx::CheckReport report = sardonyx::check_file("model.onnx");
//   if (!report.runnable()) fputs(to_string(report).c_str(), stderr);
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx {

class CustomOps;

enum class Severity {
  kError,       // the model breaks the specification: ONNX's own checker refuses it too, but for what docs/checks.md lists
  kUnrunnable,  // ONNX's own checker does not look for it, but the model cannot be run
  kWarning,     // allowed, but hardly meant
};

// One problem. `code` is stable and explained in docs/checks.md.
struct Problem {
  std::string_view code;  // "undefined-input"
  Severity severity = Severity::kError;
  std::string where;            // "graph 'main' / node 'if1' (If) / then_branch / node with output 'y' (Add)"
  std::string message;          // what was expected and what was found, as a sentence
  std::string expected, found;  // the same in short, where it can be told so: "FLOAT", "INT"
  std::string cure;             // what to do about it; may be empty
  // Where the problem is about a value: how that value came to be, the source first, the last steps only if there are many.
  // {"input 'x'", "node 'conv1' (Conv) makes 'a'", "node 'add1' (Add) makes 'b'"}
  std::vector<std::string> chain;
};

struct CheckOptions {
  size_t max_problems = 1000;  // further ones are counted, not kept
  // Infer types and shapes too, and report where they contradict operators or declarations.
  bool full = false;
  const CustomOps* custom_ops = nullptr;  // with `full`: operators of your own, held to their declarations, too (custom_op.h)
  model::ReadLimits limits;               // of check_file
};

struct CheckReport {
  std::vector<Problem> problems;
  size_t errors = 0;  // all found, also those beyond CheckOptions::max_problems
  size_t unrunnable = 0;
  size_t warnings = 0;
  bool valid() const noexcept { return errors == 0; }
  bool runnable() const noexcept { return valid() && unrunnable == 0; }
};

// Never throws for anything in the model. Time is proportional to the model's size without its weights. References to external data are
// checked for their form; whether the files hold the bytes is check_file's matter.
CheckReport check_model(const model::Model& model, const CheckOptions& options = {});

// Reads a model without its external data, checks it, and checks that each file of external data lies in the model's folder and is long
// enough; no byte of the weights is read. Throws only if `path` is not a readable ONNX file: Io, InvalidModel, ResourceLimit.
CheckReport check_file(const std::filesystem::path& path, const CheckOptions& options = {});

// One paragraph per problem, then a line that counts them.
std::string to_string(const CheckReport& report);
// {"valid": false, "runnable": false, "errors": 1, "unrunnable": 0, "warnings": 0, "problems": [{"code": ..., "severity": ..., "where":
// ..., "message": ..., "expected": ..., "found": ..., "cure": ..., "chain": [...]}]}
std::string to_json(const CheckReport& report);

// All codes with a line that explains each, sorted by code.
struct CheckCode {
  std::string_view code;
  Severity severity;  // the gravest it can have
  std::string_view meaning;
};
std::vector<CheckCode> check_codes();

}  // namespace sardonyx
