#include "convert/names.h"

namespace sardonyx::convert {

Names::Names(const model::Model& model) {
  add(model.graph, 0);
  for (const model::TrainingInfo& training : model.training_info) {
    add(training.initialization, 0);
    add(training.algorithm, 0);
  }
  for (const model::Function& function : model.functions) {
    add(function.input);
    add(function.output);
    add(function.node, 0);
  }
}

std::string Names::fresh(std::string_view base) {
  std::string name(base);
  if (name.empty()) name = "value";
  if (used_.insert(name).second) return name;
  size_t& number = next_[name];
  const std::string stem = name + "_";
  do {
    name = stem + std::to_string(++number);
  } while (!used_.insert(name).second);
  return name;
}

void Names::add(const model::Graph& graph, int depth) {
  if (depth > kMaxDepth) {
    throw Error(ErrorCode::kResourceLimit, "subgraphs are nested more than " + std::to_string(kMaxDepth) + " deep");
  }
  for (const auto* values : {&graph.input, &graph.output, &graph.value_info}) {
    for (const model::ValueInfo& value : *values) used_.insert(value.name);
  }
  for (const model::TensorData& tensor : graph.initializer) used_.insert(tensor.name);
  for (const model::SparseTensorData& tensor : graph.sparse_initializer) used_.insert(tensor.values.name);
  add(graph.node, depth);
}

void Names::add(const std::vector<model::Node>& nodes, int depth) {
  for (const model::Node& node : nodes) {
    add(node.input);
    add(node.output);
    for (const model::Attribute& attribute : node.attribute) {
      if (attribute.g != nullptr) add(*attribute.g, depth + 1);
      for (const auto& graph : attribute.graphs) add(*graph, depth + 1);
    }
  }
}

}  // namespace sardonyx::convert
