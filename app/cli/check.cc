#include "sardonyx/check.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "sardonyx/model.h"

namespace sardonyx::cli {

namespace {
constexpr int kInvalid = 1;
constexpr int kUnreadable = 2;

struct Arguments {
  std::string model;
  bool json = false;
};

int check(const Arguments& arguments) {
  std::optional<model::Model> model;
  try {
    model = model::read_model(arguments.model);
  } catch (const Error& error) {
    std::fputs(fmt::format("sardonyx: {}\n", error.what()).c_str(), stderr);
    return kUnreadable;
  }
  const CheckReport report = check_model(*model);
  if (arguments.json) {
    print(to_json(report));
  } else {
    print(fmt::format("{}: {}", arguments.model, report.problems.empty() ? "valid\n" : "\n" + to_string(report)));
  }
  return report.valid() ? 0 : kInvalid;
}
}  // namespace

void add_check(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("check", "Checks a model and reports all problems. Exit status: 0 valid, 1 invalid, 2 unreadable.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->callback([arguments, &status] { status = check(*arguments); });
}

}  // namespace sardonyx::cli
