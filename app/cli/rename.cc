#include <memory>

#include "cli/command.h"
#include "cli/edited_model.h"
#include "sardonyx/edit.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string model, prefix;
  std::vector<std::string> values, nodes, dims;
  EditedModel result;
};

template <class Map>
void read_pairs(const std::vector<std::string>& pairs, Map& map) {
  for (const std::string& pair : pairs) {
    auto [from, to] = split_assignment(pair, "OLD=NEW");
    if constexpr (std::is_same_v<typename Map::mapped_type, model::Dimension>) {
      map.insert_or_assign(std::move(from), parse_dimension(to));
    } else {
      map.insert_or_assign(std::move(from), std::move(to));
    }
  }
}

void rename_parts(const Arguments& arguments) {
  Renames renames;
  read_pairs(arguments.values, renames.values);
  read_pairs(arguments.nodes, renames.nodes);
  read_pairs(arguments.dims, renames.dims);
  model::Model model = model::read_model(arguments.model);
  with_trail([&] { return arguments.model; },
             [&] {
               rename(model, renames);
               add_prefix(model, arguments.prefix);
             });
  arguments.result.write(model);
}
}  // namespace

void add_rename(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand(
      "rename", "Renames values, nodes and sizes of a model, wherever they stand; all at once, so names can be swapped.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  command->add_option("--value", arguments->values, "OLD=NEW: an input, output, weight or inner value; may be repeated");
  command->add_option("--node", arguments->nodes, "OLD=NEW: a node; may be repeated");
  command->add_option("--dim", arguments->dims, "OLD=NEW: a size's symbol; NEW may be a number; may be repeated");
  command->add_option("--prefix", arguments->prefix, "Then put before the names of all values, nodes and functions");
  arguments->result.add_options(*command);
  command->callback([arguments] { rename_parts(*arguments); });
}

}  // namespace sardonyx::cli
