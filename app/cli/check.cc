#include "sardonyx/check.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "sardonyx/error.h"

namespace sardonyx::cli {

namespace {
constexpr int kInvalid = 1;  // or valid, but not to be run
constexpr int kUnreadable = 2;

struct Arguments {
  std::string model;
  bool json = false;
  bool structure_only = false;
};

int check(const Arguments& arguments) {
  CheckReport report;
  try {
    report = check_file(arguments.model, {.max_problems = 1000, .full = !arguments.structure_only, .limits = {}});
  } catch (const Error& error) {
    std::fputs(fmt::format("sardonyx: {}\n", error.what()).c_str(), stderr);
    return kUnreadable;
  }
  if (arguments.json) {
    print(to_json(report));
  } else {
    print(fmt::format("{}: {}", arguments.model, report.problems.empty() ? "valid\n" : "\n" + to_string(report)));
  }
  return report.runnable() ? 0 : kInvalid;
}
}  // namespace

void add_check(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand(
      "check", "Checks a model and reports all problems. Exit status: 0 valid, 1 invalid or not to be run, 2 unreadable.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file; files of external data are looked for beside it")->required();
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->add_flag("--structure-only", arguments->structure_only, "Do not infer types and shapes");
  command->callback([arguments, &status] { status = check(*arguments); });
}

}  // namespace sardonyx::cli
