#include <memory>
#include <set>

#include "cli/command.h"
#include "cli/edited_model.h"
#include "sardonyx/edit.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string model;
  std::vector<std::string> functions;
  EditedModel result;
};

std::string full_name(const model::Function& function) {
  return function.domain.empty() ? function.name : function.domain + "." + function.name;
}

void inline_model(const Arguments& arguments) {
  const model::Model model = model::read_model(arguments.model);
  const std::set<std::string> wanted(arguments.functions.begin(), arguments.functions.end());
  std::set<std::string> known;
  for (const model::Function& function : model.functions) known.insert({full_name(function), function.name});
  for (const std::string& name : wanted) {
    if (!known.contains(name)) throw Error(ErrorCode::kInvalidArgument, arguments.model + ": the model has no function '" + name + "'");
  }
  InlineOptions options;
  if (!wanted.empty()) options.filter = [&](const model::Function& f) { return wanted.contains(full_name(f)) || wanted.contains(f.name); };
  arguments.result.write(with_trail([&] { return arguments.model; }, [&] { return inline_functions(model, options); }));
}
}  // namespace

void add_inline(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("inline", "Puts the bodies of a model's own functions in the place of their calls.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  command->add_option("--function", arguments->functions, "Only this one: NAME or DOMAIN.NAME; may be repeated");
  arguments->result.add_options(*command);
  command->callback([arguments] { inline_model(*arguments); });
}

}  // namespace sardonyx::cli
