#include <memory>

#include "cli/command.h"
#include "cli/edited_model.h"
#include "sardonyx/edit.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string model, batch;
  std::vector<std::string> shapes;
  ShapeOptions options;
  EditedModel result;
};

// "1x3xheightx?" or, where symbols hold an x, "1,3,xdim,?".
std::vector<model::Dimension> parse_dims(const std::string& text) {
  const char separator = text.find(',') == std::string::npos ? 'x' : ',';
  std::vector<model::Dimension> dims;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    dims.push_back(parse_dimension(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return dims;
}

void reshape(const Arguments& arguments) {
  std::map<std::string, std::vector<model::Dimension>> shapes;
  for (const std::string& pair : arguments.shapes) {
    const auto [name, dims] = split_assignment(pair, "NAME=1x3x224x224");
    shapes.insert_or_assign(name, parse_dims(dims));
  }
  model::Model model = model::read_model(arguments.model);
  with_trail([&] { return arguments.model; },
             [&] {
               if (!arguments.batch.empty()) set_batch(model, parse_dimension(arguments.batch), arguments.options);
               set_input_shapes(model, shapes, arguments.options);
             });
  arguments.result.write(model);
}
}  // namespace

void add_shape(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("shape", "Sets the shapes of a model's inputs: sizes, symbols, or ? to leave one as it is.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  command->add_option("--input", arguments->shapes, "NAME=1x3xheightx? or NAME=1,3,height,? (an output may be named too); may be repeated");
  command->add_option("--batch", arguments->batch, "The first size of every input: a number or a symbol");
  command->add_flag("--replace", arguments->options.replace,
                    "Contradict what is declared; sizes of outputs and inner values are then forgotten");
  arguments->result.add_options(*command);
  command->callback([arguments] { reshape(*arguments); });
}

}  // namespace sardonyx::cli
