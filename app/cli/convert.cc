#include "sardonyx/convert.h"

#include <algorithm>
#include <memory>

#include "cli/command.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string input, output, external;
  int64_t opset = 0;
};

bool has_external_data(const model::Graph& graph) {
  return std::any_of(graph.initializer.begin(), graph.initializer.end(),
                     [](const model::TensorData& tensor) { return tensor.is_external(); });
}

void convert_file(const Arguments& arguments) {
  const model::Model original = model::read_model(arguments.input);
  model::WriteOptions options{.external_file = arguments.external};
  if (options.external_file.empty() && has_external_data(original.graph)) {
    options.external_file = std::filesystem::path(arguments.output).filename().string() + ".data";
  }
  const model::Model converted = with_trail([&] { return arguments.input; }, [&] { return convert_version(original, arguments.opset); });
  write_model(converted, arguments.output, options);
}
}  // namespace

void add_convert(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("convert", "Rewrites a model for another version of the ONNX operators, newer or older.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->input, "The .onnx file")->required();
  command->add_option("--opset", arguments->opset, "Version of the ONNX operators, 1 to 27")->required();
  command->add_option("-o,--output", arguments->output, "The .onnx file to write")->required();
  command->add_option(
      "--external-data", arguments->external,
      "A file beside the new model for its weights; by default there is one, OUTPUT.data, where the model has external data");
  command->callback([arguments] { convert_file(*arguments); });
}

}  // namespace sardonyx::cli
