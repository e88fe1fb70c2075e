#include "infer/function_binding.h"

#include <algorithm>

namespace sardonyx::infer {

namespace {
bool refers(const model::Attribute& attribute) {
  const auto in_graph = [](const std::shared_ptr<model::Graph>& graph) {
    return graph != nullptr && std::any_of(graph->node.begin(), graph->node.end(), has_references);
  };
  return !attribute.ref_attr_name.empty() || in_graph(attribute.g) ||
         std::any_of(attribute.graphs.begin(), attribute.graphs.end(), in_graph);
}

std::shared_ptr<model::Graph> bind_graph(const model::Graph& graph, const AttributeValues& values) {
  auto bound = std::make_shared<model::Graph>(graph);
  for (model::Node& node : bound->node) {
    if (has_references(node)) node = bind_attributes(node, values);
  }
  return bound;
}
}  // namespace

AttributeValues attribute_values(const model::Function& function, const model::Node& call) {
  AttributeValues values;
  for (const model::Attribute& attribute : function.attribute_proto) values[attribute.name] = &attribute;
  for (const model::Attribute& attribute : call.attribute) values[attribute.name] = &attribute;
  return values;
}

bool has_references(const model::Node& node) { return std::any_of(node.attribute.begin(), node.attribute.end(), refers); }

model::Node bind_attributes(const model::Node& node, const AttributeValues& values) {
  model::Node bound = node;
  bound.attribute.clear();
  for (const model::Attribute& attribute : node.attribute) {
    if (!attribute.ref_attr_name.empty()) {
      const auto value = values.find(attribute.ref_attr_name);
      if (value == values.end()) continue;
      bound.attribute.push_back(*value->second);
      bound.attribute.back().name = attribute.name;
      continue;
    }
    model::Attribute& copy = bound.attribute.emplace_back(attribute);
    if (copy.g != nullptr) copy.g = bind_graph(*copy.g, values);
    for (std::shared_ptr<model::Graph>& graph : copy.graphs) graph = bind_graph(*graph, values);
  }
  return bound;
}

}  // namespace sardonyx::infer
