// Extraction: from the outputs back to the inputs, then everything that belongs to the nodes met.
#include <algorithm>
#include <optional>

#include "edit/walk.h"
#include "sardonyx/edit.h"

namespace sardonyx {

namespace edit {
namespace {
using model::Graph;
using model::Model;
using model::Node;
using model::ValueInfo;

// Calls visit(name) for each name that a subgraph takes from around it.
class Captures {
 public:
  template <class Visit>
  void of(const Node& node, const Visit& visit) {
    for_each_subgraph(node, [&](const Graph& graph) { within(graph, visit); });
  }

 private:
  bool is_local(std::string_view name) const {
    return std::any_of(scopes_.rbegin(), scopes_.rend(), [&](const NameSet& scope) { return scope.contains(name); });
  }

  template <class Visit>
  void within(const Graph& graph, const Visit& visit) {
    expect_depth(static_cast<int>(scopes_.size()) + 1, "subgraphs");
    NameSet& scope = scopes_.emplace_back();
    for_each_definition(graph, [&](const std::string& name) { scope.insert(name); });
    const auto use = [&](const std::string& name) {
      if (!name.empty() && !is_local(name)) visit(name);
    };
    for (const Node& node : graph.node) {
      for (const std::string& name : node.input) use(name);
      of(node, visit);
    }
    for (const ValueInfo& output : graph.output) use(output.name);
    scopes_.pop_back();
  }

  std::vector<NameSet> scopes_;
};

class Extractor {
 public:
  Extractor(const Model& model, const ExtractOptions& options) : model_(model), graph_(model.graph), options_(options) { index(); }

  Model extract(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
    if (outputs.empty()) refuse("no outputs are named: name at least one");
    cut_ = expect_known(inputs, "input");
    expect_known(outputs, "output");
    keep_.resize(graph_.node.size());
    pending_.assign(outputs.begin(), outputs.end());
    pending_.insert(pending_.end(), inputs.begin(), inputs.end());
    follow();
    if (!missing_.empty()) {
      refuse(fmt::format("the outputs depend on {} too: name them, or values computed from them, as inputs", list_names(missing_)));
    }
    Model result = header();
    for (const std::string& name : inputs) result.graph.input.push_back(boundary(name));
    for (const std::string& name : outputs) result.graph.output.push_back(boundary(name));
    take_nodes(result.graph);
    take_tensors(result.graph);
    take_annotations(result.graph, outputs);
    take_functions(result);
    return result;
  }

 private:
  void index() {
    for (size_t i = 0; i < graph_.node.size(); ++i) {
      for (const std::string& name : graph_.node[i].output) {
        if (!name.empty()) producer_.emplace(name, i);
      }
    }
    for (const model::TensorData& tensor : graph_.initializer) constants_.emplace(tensor.name, &tensor);
    for (const model::SparseTensorData& tensor : graph_.sparse_initializer) sparse_.emplace(tensor.values.name, &tensor);
    for (const auto* list : {&graph_.input, &graph_.output, &graph_.value_info}) {
      for (const ValueInfo& value : *list) {
        const ValueInfo*& known = infos_[value.name];
        if (known == nullptr || known->type.absent()) known = &value;
      }
    }
    for (const ValueInfo& input : graph_.input) inputs_.insert(input.name);
    for (const model::TensorAnnotation& annotation : graph_.quantization_annotation)
      annotations_.emplace(annotation.tensor_name, &annotation);
  }

  bool is_constant(std::string_view name) const { return constants_.contains(name) || sparse_.contains(name); }
  bool is_defined(std::string_view name) const { return producer_.contains(name) || is_constant(name) || inputs_.contains(name); }

  NameSet expect_known(const std::vector<std::string>& names, std::string_view what) const {
    NameSet seen;
    for (const std::string& name : names) {
      if (!is_defined(name)) {
        NameSet all = inputs_;
        for (const auto& entry : producer_) all.insert(entry.first);
        for (const auto& entry : constants_) all.insert(entry.first);
        refuse(fmt::format("{} '{}': the graph has no such value{}", what, name, hint(name, all)));
      }
      if (!seen.insert(name).second) refuse(fmt::format("{} '{}' is named twice: name it once", what, name));
    }
    return seen;
  }

  void follow() {
    while (!pending_.empty()) {
      const std::string_view name = pending_.back();
      pending_.pop_back();
      if (!present_.insert(name).second) continue;
      follow_annotation(name);
      if (cut_.contains(name)) continue;
      const auto found = producer_.find(name);
      if (found != producer_.end()) {
        reach(found->second);
      } else if (!is_constant(name)) {
        missing_.push_back(name);
      }
    }
  }

  void reach(size_t node_index) {
    if (keep_[node_index]) return;
    keep_[node_index] = true;
    const Node& node = graph_.node[node_index];
    const auto use = [&](const std::string& name) {
      if (name.empty()) return;
      if (!is_defined(name)) {
        throw Error(ErrorCode::kInvalidModel, fmt::format("{} takes '{}', which nothing in the graph defines", describe(node), name));
      }
      pending_.push_back(name);
    };
    for (const std::string& name : node.input) use(name);
    Captures().of(node, use);
    for (const std::string& name : node.output) {
      if (!name.empty()) pending_.push_back(name);
    }
  }

  // Scales and zero points are used by nobody else.
  void follow_annotation(std::string_view name) {
    const auto found = annotations_.find(name);
    if (found == annotations_.end()) return;
    for (const model::StringPair& pair : found->second->quant_parameter_tensor_names) {
      if (producer_.contains(pair.value) || is_constant(pair.value)) pending_.push_back(pair.value);
    }
  }

  ValueInfo boundary(const std::string& name) const {
    const auto found = infos_.find(name);
    if (found != infos_.end() && !found->second->type.absent()) return *found->second;
    ValueInfo value;
    value.name = name;
    if (const auto constant = constants_.find(name); constant != constants_.end()) {
      value.type = model::Type::of_tensor(constant->second->dtype(), {constant->second->dims.begin(), constant->second->dims.end()});
    } else if (options_.require_types) {
      refuse(fmt::format("the type of '{}' is not known: infer the shapes of the model first, or do not require types", name));
    }
    return value;
  }

  Model header() const {
    Model result;
    result.ir_version = model_.ir_version;
    result.opset_import = model_.opset_import;
    result.producer_name = model_.producer_name;
    result.producer_version = model_.producer_version;
    result.domain = model_.domain;
    result.model_version = model_.model_version;
    result.doc_string = model_.doc_string;
    result.metadata_props = model_.metadata_props;
    result.configuration = model_.configuration;
    result.has_graph = true;
    result.graph.name = graph_.name;
    result.graph.doc_string = graph_.doc_string;
    result.graph.metadata_props = graph_.metadata_props;
    return result;
  }

  // A node may give a value that is now an input besides one that is needed: that output gets a name nobody else has.
  void detach_cut_outputs(Node& node) {
    for (std::string& name : node.output) {
      if (!cut_.contains(name)) continue;
      if (!fresh_) {
        fresh_.emplace();
        for_each_graph(graph_, [&](const Graph& graph) { for_each_name(graph, [&](const std::string& known) { fresh_->take(known); }); });
      }
      name = fresh_->make(name + "_unused");
    }
  }

  void take_nodes(Graph& to) {
    for (size_t i = 0; i < keep_.size(); ++i) {
      if (!keep_[i]) continue;
      to.node.push_back(graph_.node[i]);
      detach_cut_outputs(to.node.back());
    }
  }

  // Whether an initializer of that name belongs to the result: as a constant, or as the default of an input.
  bool keeps_tensor(std::string_view name) const { return present_.contains(name) && (!cut_.contains(name) || inputs_.contains(name)); }

  void take_tensors(Graph& to) const {
    constexpr int64_t kFirstOverridableIr = 4;  // before it, initializers are inputs
    for (const model::TensorData& tensor : graph_.initializer) {
      if (!keeps_tensor(tensor.name)) continue;
      to.initializer.push_back(tensor);
      if (model_.ir_version < kFirstOverridableIr && !cut_.contains(tensor.name)) to.input.push_back(boundary(tensor.name));
    }
    for (const model::SparseTensorData& tensor : graph_.sparse_initializer) {
      if (keeps_tensor(tensor.values.name)) to.sparse_initializer.push_back(tensor);
    }
  }

  void take_annotations(Graph& to, const std::vector<std::string>& outputs) const {
    NameSet told(outputs.begin(), outputs.end());
    for (const ValueInfo& input : to.input) told.insert(input.name);
    for (const auto* list : {&graph_.value_info, &graph_.output}) {
      for (const ValueInfo& value : *list) {
        if (present_.contains(value.name) && told.insert(value.name).second) to.value_info.push_back(value);
      }
    }
    for (const model::TensorAnnotation& annotation : graph_.quantization_annotation) {
      if (present_.contains(annotation.tensor_name)) to.quantization_annotation.push_back(annotation);
    }
  }

  void take_functions(Model& result) const {
    if (model_.functions.empty()) return;
    std::map<FunctionKey, size_t> keys;
    for (size_t i = 0; i < model_.functions.size(); ++i) keys.emplace(key_of(model_.functions[i]), i);
    std::vector<char> used(model_.functions.size());
    std::vector<size_t> open;
    const auto call = [&](const Node& node) {
      const auto found = keys.find(key_of(node));
      if (found == keys.end() || used[found->second] != 0) return;
      used[found->second] = 1;
      open.push_back(found->second);
    };
    for_each_node(result.graph.node, call);
    while (!open.empty()) {
      const model::Function& function = model_.functions[open.back()];
      open.pop_back();
      for_each_node(function.node, call);
    }
    for (size_t i = 0; i < used.size(); ++i) {
      if (used[i] != 0) result.functions.push_back(model_.functions[i]);
    }
  }

  const Model& model_;
  const Graph& graph_;
  const ExtractOptions& options_;
  std::unordered_map<std::string_view, size_t> producer_;  // of each value: the node
  std::unordered_map<std::string_view, const model::TensorData*> constants_;
  std::unordered_map<std::string_view, const model::SparseTensorData*> sparse_;
  std::unordered_map<std::string_view, const ValueInfo*> infos_;
  std::unordered_map<std::string_view, const model::TensorAnnotation*> annotations_;
  NameSet inputs_;
  NameSet cut_;      // the inputs asked for
  NameSet present_;  // values of the result
  std::vector<std::string_view> pending_, missing_;
  std::vector<bool> keep_;
  std::optional<UniqueNames> fresh_;
};

}  // namespace
}  // namespace edit

model::Model extract_model(const model::Model& model, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                           const ExtractOptions& options) {
  return edit::Extractor(model, options).extract(inputs, outputs);
}

}  // namespace sardonyx
