#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "cli/command.h"
#include "sardonyx/checkpoint.h"
#include "sardonyx/model.h"

namespace sardonyx::cli {

namespace {
void append(std::string& out, std::string_view label, std::string_view value) {
  if (!value.empty()) out += fmt::format("{:<16}{}\n", label, value);
}

std::string describe_value(const model::ValueInfo& value) {
  std::string text = fmt::format("{}: {}", value.name, type_string(value.type));
  if (const model::TensorType* tensor = value.type.tensor()) text += tensor->has_shape ? " " + to_string(tensor->shape) : " of any rank";
  return text;
}

size_t weight_bytes(const model::TensorData& tensor) {
  const std::string* length = model::find_value(tensor.external_data, "length");
  if (tensor.is_external()) return length != nullptr ? std::strtoull(length->c_str(), nullptr, 10) : tensor.external.bytes.size();
  size_t bytes = tensor.raw_data.size() + 4 * (tensor.float_data.size() + tensor.int32_data.size()) +
                 8 * (tensor.int64_data.size() + tensor.double_data.size() + tensor.uint64_data.size());
  for (const model::Bytes& text : tensor.string_data) bytes += text.size();
  return bytes;
}

std::string count_operators(const model::Graph& graph) {
  std::map<std::string, size_t> counts;
  for (const model::Node& node : graph.node) ++counts[node.domain.empty() ? node.op_type : node.domain + "." + node.op_type];
  std::vector<std::pair<std::string, size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [name, count] : sorted) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  return text;
}

std::string describe_model(const model::Model& model) {
  std::string out;
  append(out, "ir version", std::to_string(model.ir_version));
  std::string opsets;
  for (const model::OpsetId& opset : model.opset_import) {
    opsets += fmt::format("{}{} {}", opsets.empty() ? "" : ", ", opset.domain.empty() ? "ai.onnx" : opset.domain, opset.version);
  }
  append(out, "opsets", opsets.empty() ? "none imported: ai.onnx 1 is meant" : opsets);
  append(out, "producer", model.producer_name + (model.producer_version.empty() ? "" : " " + model.producer_version));
  append(out, "domain", model.domain);
  append(out, "version", model.model_version != 0 ? std::to_string(model.model_version) : "");
  append(out, "description", model.doc_string);
  for (const model::StringPair& pair : model.metadata_props) append(out, "metadata", pair.key + " = " + pair.value);
  append(out, "graph", model.graph.name);
  for (const model::ValueInfo& input : model.graph.input) {
    append(out, model.graph.find_initializer(input.name) != nullptr ? "overridable" : "input", describe_value(input));
  }
  for (const model::ValueInfo& output : model.graph.output) append(out, "output", describe_value(output));
  append(out, "nodes", fmt::format("{}{}{}", model.graph.node.size(), model.graph.node.empty() ? "" : ": ", count_operators(model.graph)));
  size_t bytes = 0;
  int64_t external = 0;
  for (const model::TensorData& tensor : model.graph.initializer) {
    bytes += weight_bytes(tensor);
    external += tensor.is_external() ? 1 : 0;
  }
  append(out, "weights",
         fmt::format("{} tensors, {}{}", model.graph.initializer.size(), human_bytes(static_cast<double>(bytes)),
                     external > 0 ? fmt::format(", {} of them in external files", external) : ""));
  if (!model.functions.empty()) append(out, "functions", std::to_string(model.functions.size()));
  return out;
}

std::string describe_checkpoint(const std::string& path) {
  constexpr const char* kFormats[] = {"PyTorch zip", "PyTorch legacy (before 1.6)", "safetensors"};
  const Checkpoint checkpoint = read_checkpoint(path);
  const StateDict state = with_trail([&] { return path; }, [&] { return state_dict_of(checkpoint.root); });
  std::string out;
  append(out, "format", kFormats[static_cast<int>(checkpoint.format)]);
  for (const auto& [key, value] : checkpoint.metadata) append(out, "metadata", key + " = " + value);
  size_t bytes = 0;
  for (const auto& [name, tensor] : state) {
    append(out, "tensor", fmt::format("{}: {} {}", name, type_string(tensor.dtype()), to_string(tensor.shape())));
    bytes += tensor.byte_size();
  }
  append(out, "weights", fmt::format("{} tensors, {}", state.size(), human_bytes(static_cast<double>(bytes))));
  return out;
}

int info(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension();
  const bool checkpoint = extension == ".pth" || extension == ".pt" || extension == ".safetensors";
  print(checkpoint ? describe_checkpoint(path) : describe_model(model::read_model(path, {.limits = {}, .external_data = false})));
  return 0;
}
}  // namespace

void add_info(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("info", "Tells what a model, or a checkpoint (.pth, .pt, .safetensors), holds.");
  const auto path = std::make_shared<std::string>();
  command->add_option("FILE", *path, "The .onnx file or checkpoint")->required();
  command->callback([path, &status] { status = info(*path); });
}

}  // namespace sardonyx::cli
