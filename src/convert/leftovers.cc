#include "convert/leftovers.h"

#include <algorithm>
#include <iterator>
#include <memory>

namespace sardonyx::convert {

namespace {
bool is_constant(const model::Node& node) {
  return node.op_type == "Constant" && (node.domain.empty() || node.domain == "ai.onnx") && node.output.size() == 1;
}
}  // namespace

// What a model uses, and its constants, whatever graph they stand in.
struct Leftovers::Survey {
  std::unordered_set<std::string> used, constants;

  explicit Survey(const model::Model& model) {
    add(model.graph);
    for (const model::TrainingInfo& training : model.training_info) {
      add(training.initialization);
      add(training.algorithm);
      for (const auto* binding : {&training.initialization_binding, &training.update_binding}) {
        for (const model::StringPair& pair : *binding) used.insert({pair.key, pair.value});
      }
    }
    for (const model::Function& function : model.functions) {
      used.insert(function.output.begin(), function.output.end());
      add(function.node);
    }
  }

  void add(const model::Graph& graph) {
    for (const model::ValueInfo& output : graph.output) used.insert(output.name);
    for (const model::ValueInfo& input : graph.input) used.insert(input.name);
    for (const model::TensorData& tensor : graph.initializer) constants.insert(tensor.name);
    for (const model::TensorAnnotation& annotation : graph.quantization_annotation) {
      for (const model::StringPair& pair : annotation.quant_parameter_tensor_names) used.insert(pair.value);
    }
    add(graph.node);
  }

  void add(const std::vector<model::Node>& nodes) {
    for (const model::Node& node : nodes) {
      used.insert(node.input.begin(), node.input.end());
      if (is_constant(node)) constants.insert(node.output[0]);
      for (const model::Attribute& attribute : node.attribute) {
        if (attribute.g != nullptr) add(*attribute.g);
        for (const auto& graph : attribute.graphs) add(*graph);
      }
    }
  }
};

Leftovers::Leftovers(const model::Model& original) {
  const Survey survey(original);
  std::copy_if(survey.constants.begin(), survey.constants.end(), std::inserter(unused_, unused_.end()),
               [&](const std::string& name) { return survey.used.count(name) == 0; });
}

void Leftovers::remove(model::Model& converted) const {
  const Survey now(converted);
  remove(converted.graph, now);
  for (model::TrainingInfo& training : converted.training_info) {
    remove(training.initialization, now);
    remove(training.algorithm, now);
  }
  for (model::Function& function : converted.functions) remove(function.node, now);
}

void Leftovers::remove(model::Graph& graph, const Survey& now) const {
  std::erase_if(graph.initializer,
                [&](const model::TensorData& tensor) { return now.used.count(tensor.name) == 0 && unused_.count(tensor.name) == 0; });
  remove(graph.node, now);
}

void Leftovers::remove(std::vector<model::Node>& nodes, const Survey& now) const {
  std::erase_if(nodes, [&](const model::Node& node) {
    return is_constant(node) && now.used.count(node.output[0]) == 0 && unused_.count(node.output[0]) == 0;
  });
  for (model::Node& node : nodes) {
    for (model::Attribute& attribute : node.attribute) {
      const auto cleaned = [&](const std::shared_ptr<model::Graph>& graph) {
        auto copy = std::make_shared<model::Graph>(*graph);
        remove(*copy, now);
        return copy;
      };
      if (attribute.g != nullptr) attribute.g = cleaned(attribute.g);
      for (auto& graph : attribute.graphs) graph = cleaned(graph);
    }
  }
}

}  // namespace sardonyx::convert
