#include "cli/edited_model.h"

#include <charconv>

#include "sardonyx/edit.h"
#include "sardonyx/error.h"

namespace sardonyx::cli {

void EditedModel::add_options(CLI::App& command) {
  command.add_option("-o,--output", path, "The .onnx file to write")->required();
  command.add_option(
      "--external-data", external_file,
      "File beside OUT for the weights. Without it they stay inside, unless they were external or exceed 1 GiB: then it is OUT.data");
}

void EditedModel::write(const model::Model& model) const {
  model::WriteOptions options = fitting_write_options(model, path);
  if (!external_file.empty()) options.external_file = external_file;
  write_model(model, path, options);
}

model::Dimension parse_dimension(const std::string& text) {
  if (text == "?") return {};
  int64_t size = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, size);
  if (error == std::errc() && stop == end && size >= 0) return size;
  if (text.empty() || stop != text.data()) {
    throw Error(ErrorCode::kInvalidArgument, "'" + text + "' is not a size: write a number, a symbol that begins with a letter, or ?");
  }
  return text;
}

}  // namespace sardonyx::cli
