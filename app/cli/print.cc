#include <memory>

#include "cli/command.h"
#include "sardonyx/text.h"

namespace sardonyx::cli {

void add_print(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("print", "Prints a model in the ONNX text syntax, which 'parse' reads.");
  const auto path = std::make_shared<std::string>();
  const auto options = std::make_shared<model::TextOptions>();
  command->add_option("MODEL", *path, "The .onnx file")->required();
  command->add_option("--max-elements", options->max_elements,
                      "Leave out the further elements of larger tensors: for reading only, 'parse' wants them all");
  command->callback([path, options] {
    const model::Model model = model::read_model(*path, {.limits = {}, .external_data = false});
    print(with_trail([&] { return *path; }, [&] { return to_text(model, *options); }));
  });
}

}  // namespace sardonyx::cli
