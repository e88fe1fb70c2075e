#include "edit/rename.h"

#include "schema/schema.h"

namespace sardonyx {

namespace edit {

NameSet value_names(const model::Model& model) {
  NameSet names;
  for_each_name_in(model, [&](const std::string& name) { names.insert(name); });
  names.erase("");
  return names;
}

void replace_names(model::Model& model, const NameMap& names) {
  if (names.empty()) return;
  for_each_name_in(model, [&](std::string& name) {
    const auto found = names.find(name);
    if (found != names.end()) name = found->second;
  });
}

namespace {
NameSet node_names(const model::Model& model) {
  NameSet names;
  for_each_graph_of(model, [&](const model::Graph& graph) {
    for (const model::Node& node : graph.node) names.insert(node.name);
  });
  names.erase("");
  return names;
}

void replace_node_names(model::Model& model, const NameMap& names) {
  if (names.empty()) return;
  for_each_graph_of(model, [&](model::Graph& graph) {
    for (model::Node& node : graph.node) {
      const auto found = names.find(node.name);
      if (found != names.end()) node.name = found->second;
    }
  });
}

NameSet symbols(const model::Model& model) {
  NameSet names;
  for_each_symbol(model, [&](const std::string& symbol) { names.insert(symbol); });
  return names;
}

using DimMap = std::unordered_map<std::string, model::Dimension>;

void replace_dims(model::Model& model, const DimMap& dims) {
  if (dims.empty()) return;
  for_each_graph_of(model, [&](model::Graph& graph) {
    change_dims_of(graph, [&](model::Dimension& dim) {
      const auto found = dim.is_symbol() ? dims.find(dim.symbol()) : dims.end();
      if (found == dims.end()) return false;
      dim.value = found->second.value;
      return true;
    });
  });
}

// That all at once can get its new name: every old one is there, and no new one is that of another.
template <class Map>
void expect_renamable(const Map& names, const NameSet& existing, std::string_view what) {
  NameSet wanted;
  for (const auto& [from, to] : names) {
    if (!existing.contains(from)) refuse(fmt::format("the model has no {} '{}'{}", what, from, hint(from, existing)));
    if (to.empty()) refuse(fmt::format("{} '{}' cannot be renamed to an empty name", what, from));
    if (!wanted.insert(to).second) refuse(fmt::format("two {}s would be named '{}': give each a name of its own", what, to));
    if (existing.contains(to) && !names.contains(to)) {
      refuse(fmt::format("{} '{}' cannot be renamed to '{}', which another has: rename that one too", what, from, to));
    }
  }
}

void expect_dims(const std::map<std::string, model::Dimension>& dims, const NameSet& existing) {
  for (const auto& [symbol, dim] : dims) {
    if (!existing.contains(symbol)) refuse(fmt::format("the model has no dim symbol '{}'{}", symbol, hint(symbol, existing)));
    const bool usable = dim.is_known() ? dim.size() >= 0 : dim.is_symbol() && !dim.symbol().empty();
    if (!usable) refuse(fmt::format("dim symbol '{}' must become a symbol, or a size that is not negative", symbol));
  }
}

// The names of values that get the prefix.
NameSet chosen_values(const model::Model& model, const PrefixOptions& which) {
  NameSet boundary, chosen;
  const auto role = [&](const std::string& name, bool selected) {
    boundary.insert(name);
    if (selected) chosen.insert(name);
  };
  for (const model::ValueInfo& value : model.graph.input) role(value.name, which.inputs);
  for (const model::ValueInfo& value : model.graph.output) role(value.name, which.outputs);
  for (const model::TensorData& tensor : model.graph.initializer) role(tensor.name, which.initializers);
  for (const model::SparseTensorData& tensor : model.graph.sparse_initializer) {
    role(tensor.values.name, which.initializers);
    role(tensor.indices.name, which.initializers);
  }
  if (which.values) {
    for (const std::string_view name : value_names(model)) {
      if (!boundary.contains(name)) chosen.insert(name);
    }
  }
  chosen.erase("");
  return chosen;
}

NameMap prefixed(const NameSet& names, std::string_view prefix) {
  NameMap map;
  map.reserve(names.size());
  for (const std::string_view name : names) map.emplace(name, fmt::format("{}{}", prefix, name));
  return map;
}

void prefix_functions(model::Model& model, std::string_view prefix) {
  std::vector<std::string> names;
  std::map<FunctionKey, size_t> indices;
  for (const model::Function& function : model.functions) {
    names.push_back(fmt::format("{}{}", prefix, function.name));
    if (schema::find_first(function.domain, names.back())) {
      refuse(fmt::format("{} cannot be renamed to '{}', an operator of ONNX: choose another prefix", describe(function), names.back()));
    }
    indices.emplace(key_of(function), names.size() - 1);
  }
  if (names.empty()) return;
  for_each_node_of(model, [&](model::Node& node) {
    const auto found = indices.find(key_of(node));
    if (found != indices.end()) node.op_type = names[found->second];
  });
  for (size_t i = 0; i < names.size(); ++i) model.functions[i].name = names[i];
}

}  // namespace
}  // namespace edit

void rename(model::Model& model, const Renames& renames) {
  using namespace edit;
  if (!renames.values.empty()) expect_renamable(renames.values, value_names(model), "value");
  if (!renames.nodes.empty()) expect_renamable(renames.nodes, node_names(model), "node");
  if (!renames.dims.empty()) expect_dims(renames.dims, symbols(model));
  replace_names(model, {renames.values.begin(), renames.values.end()});
  replace_node_names(model, {renames.nodes.begin(), renames.nodes.end()});
  replace_dims(model, {renames.dims.begin(), renames.dims.end()});
}

void add_prefix(model::Model& model, std::string_view prefix, const PrefixOptions& which) {
  using namespace edit;
  if (prefix.empty()) return;
  const NameMap values = prefixed(chosen_values(model, which), prefix);
  expect_renamable(values, value_names(model), "value");
  const NameMap nodes = which.nodes ? prefixed(node_names(model), prefix) : NameMap();
  DimMap dims;
  if (which.dims) {
    for (auto& [from, to] : prefixed(symbols(model), prefix)) dims.emplace(from, model::Dimension(to));
  }
  if (which.functions) prefix_functions(model, prefix);
  replace_names(model, values);
  replace_node_names(model, nodes);
  replace_dims(model, dims);
}

}  // namespace sardonyx
