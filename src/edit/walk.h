// Where a model names things: walks over the graphs of a model and over the names of values in them, for reading and for changing.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sardonyx/error.h"
#include "sardonyx/model.h"

namespace sardonyx::edit {

inline constexpr int kMaxDepth = 200;  // graphs, or types, within each other

inline void expect_depth(int depth, std::string_view what) {
  if (depth > kMaxDepth) throw Error(ErrorCode::kResourceLimit, fmt::format("{} are nested more than {} deep", what, kMaxDepth));
}

[[noreturn]] inline void refuse(std::string message) { throw Error(ErrorCode::kInvalidArgument, std::move(message)); }

using NameSet = std::unordered_set<std::string_view>;
using NameMap = std::unordered_map<std::string, std::string>;

inline std::string_view plain_domain(std::string_view domain) { return domain == "ai.onnx" ? std::string_view() : domain; }
inline std::string_view shown_domain(std::string_view domain) { return domain.empty() ? "ai.onnx" : domain; }

// What a node calls a function by.
using FunctionKey = std::tuple<std::string_view, std::string_view, std::string_view>;  // domain, name, overload
inline FunctionKey key_of(const model::Function& function) { return {plain_domain(function.domain), function.name, function.overload}; }
inline FunctionKey key_of(const model::Node& node) { return {plain_domain(node.domain), node.op_type, node.overload}; }
inline std::string describe(const model::Function& function) {
  return fmt::format("function '{}.{}'{}", shown_domain(function.domain), function.name,
                     function.overload.empty() ? "" : fmt::format(" (overload '{}')", function.overload));
}

// The graph behind an attribute, for changing: copies of a model share it.
inline model::Graph& own(std::shared_ptr<model::Graph>& graph) {
  if (graph.use_count() > 1) graph = std::make_shared<model::Graph>(*graph);
  return *graph;
}
inline const model::Graph& own(const std::shared_ptr<model::Graph>& graph) { return *graph; }

// Calls visit(graph) for each graph that is an attribute of the node; a node that is not const gets graphs of its own.
template <class N, class Visit>
void for_each_subgraph(N& node, const Visit& visit) {
  for (auto& attribute : node.attribute) {
    if (attribute.g != nullptr) visit(own(attribute.g));
    for (auto& graph : attribute.graphs) visit(own(graph));
  }
}

// Calls visit(graph) for the graph and for all within it, the outer one first.
template <class G, class Visit>
void for_each_graph(G& graph, const Visit& visit, int depth = 0) {
  expect_depth(depth, "subgraphs");
  visit(graph);
  for (auto& node : graph.node) for_each_subgraph(node, [&](auto& inner) { for_each_graph(inner, visit, depth + 1); });
}

// The same for all graphs of a model, those of its training information included.
template <class M, class Visit>
void for_each_graph_of(M& model, const Visit& visit) {
  for_each_graph(model.graph, visit);
  for (auto& training : model.training_info) {
    if (training.has_initialization) for_each_graph(training.initialization, visit);
    if (training.has_algorithm) for_each_graph(training.algorithm, visit);
  }
}

// Calls visit(node) for all nodes of a list, those of subgraphs included.
template <class Nodes, class Visit>
void for_each_node(Nodes& nodes, const Visit& visit, int depth = 0) {
  expect_depth(depth, "subgraphs");
  for (auto& node : nodes) {
    visit(node);
    for_each_subgraph(node, [&](auto& inner) { for_each_node(inner.node, visit, depth + 1); });
  }
}

// Calls visit(node) for all nodes of a model: of its graphs and of its functions.
template <class M, class Visit>
void for_each_node_of(M& model, const Visit& visit) {
  for_each_node(model.graph.node, visit);
  for (auto& training : model.training_info) {
    for_each_node(training.initialization.node, visit);
    for_each_node(training.algorithm.node, visit);
  }
  for (auto& function : model.functions) for_each_node(function.node, visit);
}

// The places of a node that name a value, without its subgraphs.
template <class N, class Visit>
void for_each_name_of(N& node, const Visit& visit) {
  for (auto& name : node.input) visit(name);
  for (auto& name : node.output) visit(name);
  for (auto& configuration : node.device_configurations) {
    for (auto& spec : configuration.sharding_spec) visit(spec.tensor_name);
  }
}

// Calls visit(name) for each place of the graph, not of its subgraphs, that names a value.
template <class G, class Visit>
void for_each_name(G& graph, const Visit& visit) {
  for (auto* list : {&graph.input, &graph.output, &graph.value_info}) {
    for (auto& value : *list) visit(value.name);
  }
  for (auto& tensor : graph.initializer) visit(tensor.name);
  for (auto& tensor : graph.sparse_initializer) {
    visit(tensor.values.name);
    visit(tensor.indices.name);
  }
  for (auto& annotation : graph.quantization_annotation) {
    visit(annotation.tensor_name);
    for (auto& pair : annotation.quant_parameter_tensor_names) visit(pair.value);
  }
  for (auto& node : graph.node) for_each_name_of(node, visit);
}

// All places of a model that name a value of its graphs: subgraphs, training graphs and their bindings.
template <class M, class Visit>
void for_each_name_in(M& model, const Visit& visit) {
  for_each_graph_of(model, [&](auto& graph) { for_each_name(graph, visit); });
  for (auto& training : model.training_info) {
    for (auto* bindings : {&training.initialization_binding, &training.update_binding}) {
      for (auto& pair : *bindings) {
        visit(pair.key);
        visit(pair.value);
      }
    }
  }
}

// Calls visit(name) for each value that the graph itself defines: inputs, initializers, outputs of nodes. Empty names are left out.
template <class Visit>
void for_each_definition(const model::Graph& graph, const Visit& visit) {
  const auto defined = [&](const std::string& name) {
    if (!name.empty()) visit(name);
  };
  for (const model::ValueInfo& input : graph.input) defined(input.name);
  for (const model::TensorData& tensor : graph.initializer) defined(tensor.name);
  for (const model::SparseTensorData& tensor : graph.sparse_initializer) defined(tensor.values.name);
  for (const model::Node& node : graph.node) {
    for (const std::string& name : node.output) defined(name);
  }
}

// Calls change(dimension) for each dimension of a type, those of elements of sequences included; it returns whether it changed something.
template <class Change>
bool change_dims(model::Type& type, const Change& change, int depth = 0);

template <class Change>
bool change_element_dims(std::shared_ptr<const model::Type>& element, const Change& change, int depth) {
  if (element == nullptr) return false;
  model::Type copy = *element;
  if (!change_dims(copy, change, depth)) return false;
  element = std::make_shared<const model::Type>(std::move(copy));
  return true;
}

template <class Change>
bool change_dims(model::Type& type, const Change& change, int depth) {
  expect_depth(depth, "types");
  return std::visit(
      [&](auto& kind) {
        using Kind = std::remove_cvref_t<decltype(kind)>;
        bool changed = false;
        if constexpr (std::is_base_of_v<model::TensorType, Kind>) {
          for (model::Dimension& dim : kind.shape.dims) changed = change(dim) || changed;
        } else if constexpr (std::is_same_v<Kind, model::SequenceType> || std::is_same_v<Kind, model::OptionalType>) {
          changed = change_element_dims(kind.elem_type, change, depth + 1);
        } else if constexpr (std::is_same_v<Kind, model::MapType>) {
          changed = change_element_dims(kind.value_type, change, depth + 1);
        }
        return changed;
      },
      type.value);
}

// Calls change(dimension) for each dimension of the types that a graph, not its subgraphs, declares.
template <class Change>
void change_dims_of(model::Graph& graph, const Change& change) {
  for (auto* list : {&graph.input, &graph.output, &graph.value_info}) {
    for (model::ValueInfo& value : *list) change_dims(value.type, change);
  }
  for (model::Node& node : graph.node) {
    for (model::Attribute& attribute : node.attribute) {
      if (attribute.tp != nullptr) {
        auto copy = std::make_shared<model::Type>(*attribute.tp);
        if (change_dims(*copy, change)) attribute.tp = std::move(copy);
      }
      for (model::Type& type : attribute.type_protos) change_dims(type, change);
    }
  }
}

// Calls visit(symbol) for each symbol that the types of the model's graphs name.
void for_each_symbol(const model::Model& model, const std::function<void(const std::string&)>& visit);

// "; did you mean 'x'?" from names in no order.
std::string hint(std::string_view name, const NameSet& names);

// "'a', 'b' and 3 more"
template <class Names>
std::string list_names(const Names& names) {
  constexpr size_t kListed = 6;
  std::string text;
  size_t count = 0;
  for (const auto& name : names) {
    if (count++ < kListed) text += fmt::format("{}'{}'", count == 1 ? "" : ", ", name);
  }
  return count <= kListed ? text : text + fmt::format(" and {} more", count - kListed);
}

// Gives names that nobody has yet.
class UniqueNames {
 public:
  void take(std::string_view name) { taken_.emplace(name); }
  bool has(const std::string& name) const { return taken_.contains(name); }
  // `wanted`, or wanted_1, wanted_2 and so on.
  std::string make(const std::string& wanted) {
    if (taken_.insert(wanted).second) return wanted;
    for (size_t& number = next_[wanted];;) {
      std::string name = fmt::format("{}_{}", wanted, ++number);
      if (taken_.insert(name).second) return name;
    }
  }

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, size_t> next_;
};

}  // namespace sardonyx::edit
