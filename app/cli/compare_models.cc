#include <memory>

#include "cli/command.h"
#include "sardonyx/edit.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string a, b;
  DiffOptions options;
  bool json = false;
};

int compare_models(const Arguments& arguments) {
  const model::Model a = model::read_model(arguments.a), b = model::read_model(arguments.b);
  const DiffReport report = diff_models(a, b, arguments.options);
  print(arguments.json ? to_json(report) : to_string(report));
  return report.equal() ? 0 : 1;
}
}  // namespace

void add_compare_models(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("compare-models", "Tells how two models differ in structure and weights. Exit status: 0 equal, 1 different.");
  const auto arguments = std::make_shared<Arguments>();
  DiffOptions& options = arguments->options;
  command->add_option("A", arguments->a, "An .onnx file")->required();
  command->add_option("B", arguments->b, "Another")->required();
  command->add_flag("--ignore-names", options.ignore_names, "Compare what is connected how, whatever values and nodes are called");
  command->add_flag("--ignore-docs", options.ignore_docs, "Leave out doc strings, producer, and versions of model and IR");
  command->add_flag("--ignore-metadata", options.ignore_metadata, "Leave out metadata_props");
  command->add_option("--max", options.max_differences, "Differences to tell")->capture_default_str();
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->callback([arguments, &status] { status = compare_models(*arguments); });
}

}  // namespace sardonyx::cli
