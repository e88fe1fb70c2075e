// Writing new nodes into a graph: names that no value has, and graphs inside nodes made part of the graph around.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx::optimize {

// All names of values in a graph, those of the graphs inside its nodes too.
class Names {
 public:
  explicit Names(const model::Graph& graph) { note(graph); }
  // A name that no value has, made from `base`; it is taken from then on.
  std::string fresh(std::string_view base);

 private:
  void note(const model::Graph& graph);
  std::set<std::string, std::less<>> taken_;
};

using Renaming = std::map<std::string, std::string, std::less<>>;

// Renames what the node reads, and what the graphs inside it read from around.
void rename_reads(model::Node& node, const Renaming& renaming);

// Nodes that take the place of one node.
class NodeWriter {
 public:
  // `where`: begins the names of the new nodes and values.
  NodeWriter(Names& names, std::string where) : names_(names), where_(std::move(where)) {}

  // Adds a node of one output and gives that output's name: of ONNX, or of the optimiser's own domain.
  std::string onnx(std::string_view op_type, std::vector<std::string> inputs, std::vector<model::Attribute> attributes = {});
  std::string own(std::string_view op_type, std::vector<std::string> inputs, std::vector<model::Attribute> attributes = {});
  // Adds the node as it is.
  void add(model::Node node) { nodes_.push_back(std::move(node)); }
  // Gives a value a second name.
  void name(const std::string& value, const std::string& as);
  // Adds the nodes and initializers of a graph, its inputs replaced by `inputs`; gives the names of its outputs.
  std::vector<std::string> inlined(const model::Graph& graph, const std::vector<std::string>& inputs);

  Names& names() noexcept { return names_; }
  std::vector<model::Node>& nodes() noexcept { return nodes_; }
  std::vector<model::TensorData>& initializers() noexcept { return initializers_; }
  std::vector<model::SparseTensorData>& sparse_initializers() noexcept { return sparse_initializers_; }
  bool uses_own() const noexcept { return uses_own_; }

 private:
  model::Node& new_node(std::string_view op_type, std::vector<std::string> inputs, std::vector<model::Attribute> attributes);

  Names& names_;
  std::string where_;
  std::vector<model::Node> nodes_;
  std::vector<model::TensorData> initializers_;
  std::vector<model::SparseTensorData> sparse_initializers_;
  bool uses_own_ = false;
};

}  // namespace sardonyx::optimize
