#include "optimize/expand/graph_writer.h"

#include <fmt/format.h>

#include "optimize/pass.h"

namespace sardonyx::optimize {
namespace {

void rename_reads(model::Graph& graph, Renaming renaming);

void rename_in_graphs(model::Node& node, const Renaming& renaming) {
  const auto renamed = [&](const model::Graph& graph) {
    auto copy = std::make_shared<model::Graph>(graph);
    rename_reads(*copy, renaming);
    return copy;
  };
  for (model::Attribute& attribute : node.attribute) {
    if (attribute.g) attribute.g = renamed(*attribute.g);
    for (auto& graph : attribute.graphs) graph = renamed(*graph);
  }
}

const std::string& renamed(const std::string& name, const Renaming& renaming) {
  const auto found = renaming.find(name);
  return found == renaming.end() ? name : found->second;
}

// Names that the graph has of its own hide those of the graph around.
void rename_reads(model::Graph& graph, Renaming renaming) {
  for (const model::ValueInfo& input : graph.input) renaming.erase(input.name);
  for (const model::TensorData& tensor : graph.initializer) renaming.erase(tensor.name);
  for (const model::SparseTensorData& tensor : graph.sparse_initializer) renaming.erase(tensor.values.name);
  for (const model::Node& node : graph.node) {
    for (const std::string& output : node.output) renaming.erase(output);
  }
  if (renaming.empty()) return;
  for (model::Node& node : graph.node) optimize::rename_reads(node, renaming);
  for (model::ValueInfo& output : graph.output) output.name = renamed(output.name, renaming);
}

}  // namespace

std::string Names::fresh(std::string_view base) {
  std::string name(base);
  for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", base, i);
  return name;
}

void Names::note(const model::Graph& graph) {
  for (const model::ValueInfo& input : graph.input) taken_.insert(input.name);
  for (const model::ValueInfo& output : graph.output) taken_.insert(output.name);
  for (const model::TensorData& tensor : graph.initializer) taken_.insert(tensor.name);
  for (const model::SparseTensorData& tensor : graph.sparse_initializer) taken_.insert(tensor.values.name);
  for (const model::Node& node : graph.node) {
    taken_.insert(node.input.begin(), node.input.end());
    taken_.insert(node.output.begin(), node.output.end());
    for (const model::Attribute& attribute : node.attribute) {
      if (attribute.g) note(*attribute.g);
      for (const auto& inner : attribute.graphs) note(*inner);
    }
  }
}

void rename_reads(model::Node& node, const Renaming& renaming) {
  for (std::string& input : node.input) input = renamed(input, renaming);
  rename_in_graphs(node, renaming);
}

model::Node& NodeWriter::new_node(std::string_view op_type, std::vector<std::string> inputs, std::vector<model::Attribute> attributes) {
  model::Node& node = nodes_.emplace_back();
  node.op_type = op_type;
  node.input = std::move(inputs);
  node.attribute = std::move(attributes);
  node.output = {names_.fresh(fmt::format("{}/{}", where_, op_type))};
  node.name = node.output[0];
  return node;
}

std::string NodeWriter::onnx(std::string_view op_type, std::vector<std::string> inputs, std::vector<model::Attribute> attributes) {
  return new_node(op_type, std::move(inputs), std::move(attributes)).output[0];
}

std::string NodeWriter::own(std::string_view op_type, std::vector<std::string> inputs, std::vector<model::Attribute> attributes) {
  model::Node& node = new_node(op_type, std::move(inputs), std::move(attributes));
  node.domain = kFusedDomain;
  uses_own_ = true;
  return node.output[0];
}

void NodeWriter::name(const std::string& value, const std::string& as) { new_node("Identity", {value}, {}).output = {as}; }

std::vector<std::string> NodeWriter::inlined(const model::Graph& graph, const std::vector<std::string>& inputs) {
  if (graph.input.size() != inputs.size()) {
    throw Error(ErrorCode::kInvalidModel,
                fmt::format("the graph '{}' has {} inputs; it is given {}", graph.name, graph.input.size(), inputs.size()));
  }
  Renaming renaming;
  for (size_t i = 0; i < inputs.size(); ++i) renaming[graph.input[i].name] = inputs[i];
  for (model::TensorData tensor : graph.initializer) {
    if (renaming.contains(tensor.name)) continue;  // the default of an input
    tensor.name = renaming[tensor.name] = names_.fresh(fmt::format("{}/{}", where_, tensor.name));
    initializers_.push_back(std::move(tensor));
  }
  for (model::SparseTensorData tensor : graph.sparse_initializer) {
    std::string& name = tensor.values.name;
    name = renaming[name] = names_.fresh(fmt::format("{}/{}", where_, name));
    sparse_initializers_.push_back(std::move(tensor));
  }
  for (const model::Node& node : graph.node) {
    for (const std::string& output : node.output) {
      if (!output.empty()) renaming[output] = names_.fresh(fmt::format("{}/{}", where_, output));
    }
  }
  for (model::Node node : graph.node) {
    rename_reads(node, renaming);
    for (std::string& output : node.output) output = renamed(output, renaming);
    nodes_.push_back(std::move(node));
  }
  std::vector<std::string> outputs;
  for (const model::ValueInfo& output : graph.output) outputs.push_back(renamed(output.name, renaming));
  return outputs;
}

}  // namespace sardonyx::optimize
