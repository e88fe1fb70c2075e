#include "cli/edited_model.h"

#include <charconv>
#include <filesystem>

#include "sardonyx/error.h"

namespace sardonyx::cli {

void EditedModel::add_options(CLI::App& command) {
  command.add_option("-o,--output", path, "The .onnx file to write")->required();
  command.add_option(
      "--external-data", external_file,
      "File beside OUT for the weights. Without it they stay inside, unless they were external or exceed 1 GiB: then it is OUT.data");
}

void EditedModel::write(const model::Model& model) const {
  constexpr size_t kMostInside = size_t{1} << 30;  // a protobuf ends at 2 GiB
  size_t bytes = 0;
  bool is_external = false;
  for (const model::TensorData& tensor : model.graph.initializer) {
    bytes += tensor.raw_data.size();
    is_external |= tensor.is_external();
  }
  model::WriteOptions options{.external_file = external_file};
  if (external_file.empty() && (is_external || bytes > kMostInside)) {
    options.external_file = std::filesystem::path(path).filename().string() + ".data";
  }
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
