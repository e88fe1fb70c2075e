#include <fstream>
#include <iterator>
#include <memory>

#include "cli/command.h"
#include "sardonyx/text.h"

namespace sardonyx::cli {

namespace {
std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) throw Error(ErrorCode::kIo, path + ": cannot open or read");
  return text;
}
}  // namespace

void add_parse(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("parse", "Writes the model that a text in the ONNX text syntax describes.");
  const auto path = std::make_shared<std::string>();
  const auto output = std::make_shared<std::string>();
  command->add_option("TEXT", *path, "The text")->required();
  command->add_option("-o,--output", *output, "The .onnx file to write")->required();
  command->callback([path, output] {
    const std::string text = read_text(*path);
    write_model(with_trail([&] { return *path; }, [&] { return model::parse_text_model(text); }), *output);
  });
}

}  // namespace sardonyx::cli
