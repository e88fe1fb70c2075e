#include <memory>

#include "cli/command.h"
#include "cli/edited_model.h"
#include "sardonyx/edit.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string model;
  std::vector<std::string> inputs, outputs;
  bool no_types = false;
  EditedModel result;
};

void extract(const Arguments& arguments) {
  const model::Model model = model::read_model(arguments.model);
  arguments.result.write(
      with_trail([&] { return arguments.model; },
                 [&] { return extract_model(model, arguments.inputs, arguments.outputs, {.require_types = !arguments.no_types}); }));
}
}  // namespace

void add_extract(CLI::App& app, int&) {
  CLI::App* command =
      app.add_subcommand("extract", "Writes the part of a model that computes OUTPUTS from INPUTS, any values of its graph.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  command->add_option("--inputs", arguments->inputs, "Names with commas between: A,B")->delimiter(',');
  command->add_option("--outputs", arguments->outputs, "Names with commas between: C,D")->delimiter(',')->required();
  command->add_flag("--no-types", arguments->no_types, "Leave inputs and outputs without a type where the model tells none");
  arguments->result.add_options(*command);
  command->callback([arguments] { extract(*arguments); });
}

}  // namespace sardonyx::cli
