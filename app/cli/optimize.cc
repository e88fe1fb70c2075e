#include "sardonyx/optimize.h"

#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/edited_model.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string model;
  RewriteOptions rewrites;
  EditedModel result;
};

void optimize(const Arguments& arguments) {
  const model::Model model = model::read_model(arguments.model);
  const OptimizedModel result = with_trail(
      [&] { return arguments.model; }, [&] { return optimize_model(model, arguments.rewrites.graph_level(), arguments.rewrites.without); });
  arguments.result.write(result.model);
  for (const PassReport& pass : result.passes) {
    if (pass.rewrites > 0) print(fmt::format("{:6}  {:<28}{}\n", pass.rewrites, pass.name, pass.description));
  }
  print(fmt::format("{}: {} nodes became {}\n", arguments.result.path, model.graph.node.size(), result.model.graph.node.size()));
}
}  // namespace

void add_optimize(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("optimize", "Writes the model that a session would run, and tells what each pass did.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  arguments->rewrites.add_options(*command);
  arguments->result.add_options(*command);
  command->callback([arguments] { optimize(*arguments); });
}

}  // namespace sardonyx::cli
