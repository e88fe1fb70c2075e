#include "sardonyx/convert.h"

#include <memory>

#include "cli/command.h"
#include "cli/edited_model.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string input;
  EditedModel output;
  int64_t opset = 0;
};

void convert_file(const Arguments& arguments) {
  const model::Model original = model::read_model(arguments.input);
  arguments.output.write(with_trail([&] { return arguments.input; }, [&] { return convert_version(original, arguments.opset); }));
}
}  // namespace

void add_convert(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("convert", "Rewrites a model for another version of the ONNX operators, newer or older.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->input, "The .onnx file")->required();
  command->add_option("--opset", arguments->opset, "Version of the ONNX operators, 1 to 27")->required();
  arguments->output.add_options(*command);
  command->callback([arguments] { convert_file(*arguments); });
}

}  // namespace sardonyx::cli
