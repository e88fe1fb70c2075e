#include "sardonyx/export.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "superres/net.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string source, output;
  std::optional<std::string> weights;
  int64_t opset = kDefaultExportOpset;
  std::vector<std::string> dynamic;
};

// "NAME:AXIS=SYMBOL" into the table of dynamic axes.
void add_dynamic_axis(DynamicAxes& axes, const std::string& text) {
  constexpr std::string_view kForm = "NAME:AXIS=SYMBOL";
  const auto [place, symbol] = split_assignment(text, kForm);
  const size_t colon = place.rfind(':');
  int64_t axis = 0;
  const bool number = colon != std::string::npos && colon > 0 &&
                      std::from_chars(place.data() + colon + 1, place.data() + place.size(), axis).ptr == place.data() + place.size() &&
                      colon + 1 < place.size();
  if (!number) throw Error(ErrorCode::kInvalidArgument, fmt::format("--dynamic: '{}' does not read as {}", text, kForm));
  auto& entry = axes[place.substr(0, colon)];
  if (!std::holds_alternative<std::map<int64_t, std::string>>(entry)) entry = std::map<int64_t, std::string>{};
  std::get<std::map<int64_t, std::string>>(entry)[axis] = symbol;
}

int export_file(const Arguments& arguments) {
  if (arguments.source != "superres") {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: saved PyTorch programs cannot be exported yet; 'superres' is the network that can", arguments.source));
  }
  ExportOptions options = superres::export_options(arguments.opset);
  if (!arguments.dynamic.empty()) {
    options.dynamic_axes.clear();
    for (const std::string& text : arguments.dynamic) add_dynamic_axis(options.dynamic_axes, text);
  }
  superres::SuperResolutionNet net = superres::load_net(arguments.weights);
  export_onnx(*net, {superres::example_input()}, arguments.output, options);
  return 0;
}
}  // namespace

void add_export(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("export", "Exports a network with its weights to ONNX.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("SOURCE", arguments->source, "superres: the super-resolution network")->required();
  command->add_option("-o,--output", arguments->output, "The .onnx file to write")->required();
  command->add_option("--weights", arguments->weights, "A checkpoint (.pth, .safetensors); else the weights that come with the program");
  command->add_option("--opset", arguments->opset, "Version of the ONNX operators")
      ->check(CLI::Range(kMinExportOpset, kMaxExportOpset))
      ->capture_default_str();
  command->add_option("--dynamic", arguments->dynamic,
                      "NAME:AXIS=SYMBOL, an axis whose size is left open; by default batch, height and width are");
  command->callback([arguments, &status] { status = export_file(*arguments); });
}

}  // namespace sardonyx::cli
