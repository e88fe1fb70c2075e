#include <memory>

#include "cli/command.h"
#include "cli/edited_model.h"
#include "sardonyx/edit.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string a, b;
  std::vector<std::string> map;
  MergeOptions options;
  EditedModel result;
};

void merge(const Arguments& arguments) {
  IoMap io_map;
  for (const std::string& pair : arguments.map) io_map.push_back(split_assignment(pair, "OUTPUT=INPUT"));
  const model::Model a = model::read_model(arguments.a), b = model::read_model(arguments.b);
  arguments.result.write(
      with_trail([&] { return arguments.a + " and " + arguments.b; }, [&] { return merge_models(a, b, io_map, arguments.options); }));
}
}  // namespace

void add_merge(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("merge", "Joins two models: outputs of A feed inputs of B. Their opsets must be the same.");
  const auto arguments = std::make_shared<Arguments>();
  MergeOptions& options = arguments->options;
  command->add_option("A", arguments->a, "The .onnx file that comes first")->required();
  command->add_option("B", arguments->b, "The .onnx file that follows")->required();
  command->add_option("--map", arguments->map,
                      "OUTPUT=INPUT: an output of A and the input of B that it feeds, without prefixes; may be repeated");
  command->add_option("--prefix-a", options.prefix_a, "Put before all names of A");
  command->add_option("--prefix-b", options.prefix_b, "Put before all names of B");
  command->add_option("--inputs", options.inputs, "Inputs to keep, by their names in the result; the others must be without use")
      ->delimiter(',');
  command->add_option("--outputs", options.outputs, "Outputs to keep, by their names in the result")->delimiter(',');
  command->add_option("--name", options.name, "Name of the graph");
  command->add_flag("--first-metadata", options.first_metadata_wins, "Where both have a metadata key, take the value of A");
  arguments->result.add_options(*command);
  command->callback([arguments] { merge(*arguments); });
}

}  // namespace sardonyx::cli
