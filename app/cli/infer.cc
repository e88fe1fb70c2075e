#include "sardonyx/infer.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/edited_model.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string model;
  EditedModel output;
  InferOptions options;
  bool no_data_propagation = false;
  std::vector<std::string> custom_ops;
};

void infer(Arguments arguments, int& status) {
  arguments.options.data_propagation = !arguments.no_data_propagation;
  const auto custom_ops = load_custom_ops(arguments.custom_ops);
  arguments.options.custom_ops = custom_ops.get();
  model::Model model = model::read_model(arguments.model);
  const InferReport report = with_trail([&] { return arguments.model; }, [&] { return infer_shapes(model, arguments.options); });
  for (const InferProblem& problem : report.problems) {
    std::fputs(fmt::format("sardonyx: {}: warning: {}: {}\n", arguments.model, problem.where, problem.message).c_str(), stderr);
  }
  arguments.output.write(model);
  print(fmt::format("{}: shapes of {} of {} values are known\n", arguments.output.path, report.known, report.values));
  status = 0;
}
}  // namespace

void add_infer(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("infer", "Infers the types and shapes of all values of a model and writes it with them.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  arguments->output.add_options(*command);
  command->add_flag("--strict", arguments->options.strict, "Fail at the first contradiction, instead of warning of each");
  command->add_flag("--no-data-propagation", arguments->no_data_propagation, "Do not follow the elements of shape tensors");
  add_custom_ops_option(*command, arguments->custom_ops);
  command->callback([arguments, &status] { infer(*arguments, status); });
}

}  // namespace sardonyx::cli
