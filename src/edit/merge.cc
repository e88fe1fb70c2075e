// Merging: both models renamed as asked, checked against each other, and put one after the other.
#include <algorithm>
#include <set>

#include "edit/rename.h"
#include "sardonyx/version.h"

namespace sardonyx {

namespace edit {
namespace {
using model::Graph;
using model::Model;
using model::ValueInfo;

std::string prefix_cure(std::string_view what) { return fmt::format("{}: give one of the models a prefix", what); }

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

const ValueInfo* find_value(const std::vector<ValueInfo>& list, std::string_view name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const ValueInfo& value) { return value.name == name; });
  return found == list.end() ? nullptr : &*found;
}

const ValueInfo& expect_value(const std::vector<ValueInfo>& list, std::string_view name, std::string_view what) {
  if (const ValueInfo* found = find_value(list, name)) return *found;
  NameSet names;
  for (const ValueInfo& value : list) names.insert(value.name);
  refuse(fmt::format("{} '{}' is not there{}", what, name, hint(name, names)));
}

// Why a value of one type cannot stand where the other is expected; "" if nothing speaks against it.
std::string contradiction(const model::Type& given, const model::Type& wanted) {
  if (given.absent() || wanted.absent()) return "";
  if (type_string(given) != type_string(wanted)) return fmt::format("{} and {}", type_string(given), type_string(wanted));
  const model::TensorType* a = given.tensor();
  const model::TensorType* b = wanted.tensor();
  if (a == nullptr || b == nullptr || !a->has_shape || !b->has_shape) return "";
  bool fits = a->shape.dims.size() == b->shape.dims.size();
  for (size_t i = 0; fits && i < a->shape.dims.size(); ++i) {
    const model::Dimension &x = a->shape.dims[i], &y = b->shape.dims[i];
    fits = !x.is_known() || !y.is_known() || x.size() == y.size();
  }
  return fits ? "" : fmt::format("shape {} and shape {}", to_string(a->shape), to_string(b->shape));
}

// The new names of b's inputs: those of the outputs of a that they are connected to.
NameMap connections(const Graph& a, const Graph& b, const IoMap& io_map) {
  NameMap names;
  for (const auto& [output, input] : io_map) {
    const ValueInfo& from = expect_value(a.output, output, "io_map: output of the first model");
    const ValueInfo& to = expect_value(b.input, input, "io_map: input of the second model");
    const std::string conflict = contradiction(from.type, to.type);
    if (!conflict.empty()) refuse(fmt::format("io_map: '{}' cannot feed '{}': they have {}", output, input, conflict));
    if (!names.emplace(input, output).second) refuse(fmt::format("io_map: input '{}' is connected twice: connect it once", input));
  }
  return names;
}

void expect_distinct(const Model& a, const Model& b, const NameMap& connected) {
  NameSet outer_a, outer_b;
  for_each_name(a.graph, [&](const std::string& name) { outer_a.insert(name); });
  for_each_name(b.graph, [&](const std::string& name) { outer_b.insert(name); });
  const NameSet all_a = value_names(a);
  std::set<std::string_view> clashes;
  for (const std::string_view name : value_names(b)) {
    if (connected.contains(std::string(name))) continue;
    if (outer_a.contains(name) || (outer_b.contains(name) && all_a.contains(name))) clashes.insert(name);
  }
  if (!clashes.empty()) refuse(prefix_cure(fmt::format("both models have values named {}", list_names(clashes))));
}

// Runtimes refuse a graph with two nodes of one name.
void expect_distinct_nodes(const Graph& a, const Graph& b) {
  NameSet names;
  std::set<std::string_view> clashes;
  for (const model::Node& node : a.node) names.insert(node.name);
  for (const model::Node& node : b.node) {
    if (!node.name.empty() && names.contains(node.name)) clashes.insert(node.name);
  }
  if (!clashes.empty()) refuse(prefix_cure(fmt::format("both models have nodes named {}", list_names(clashes))));
}

std::vector<model::OpsetId> merged_opsets(const Model& a, const Model& b) {
  std::vector<model::OpsetId> opsets = a.opset_import;
  if (opsets.empty() && b.ir_version >= 3) opsets.emplace_back().version = 1;  // what IR versions 1 and 2 mean by none
  for (const model::OpsetId& import : b.opset_import) {
    const auto same = [&](const model::OpsetId& other) { return plain_domain(other.domain) == plain_domain(import.domain); };
    const auto found = std::find_if(opsets.begin(), opsets.end(), same);
    if (found == opsets.end()) {
      opsets.push_back(import);
    } else if (found->version != import.version) {
      refuse(fmt::format(
          "the first model imports version {} of {}, the second version {}: convert one of them to the opset of the other first",
          found->version, shown_domain(plain_domain(import.domain)), import.version));
    }
  }
  if (b.opset_import.empty() && a.opset_version() != 1) {
    refuse(fmt::format("the first model imports version {} of ai.onnx, the second means version 1: convert it first", a.opset_version()));
  }
  return opsets;
}

void merge_functions(Model& to, const std::vector<model::Function>& functions) {
  std::map<FunctionKey, const model::Function*> known;
  for (const model::Function& function : to.functions) known.emplace(key_of(function), &function);
  std::vector<model::Function> added;
  for (const model::Function& function : functions) {
    const auto found = known.find(key_of(function));
    if (found == known.end()) {
      added.push_back(function);
    } else if (*found->second != function) {
      refuse(prefix_cure(fmt::format("the models have different functions of the same name, {}", describe(function))));
    }
  }
  append(to.functions, added);
}

void merge_pairs(model::StringPairs& to, const model::StringPairs& pairs, std::string_view what, bool first_wins) {
  for (const model::StringPair& pair : pairs) {
    const std::string* known = model::find_value(to, pair.key);
    if (known == nullptr) {
      to.push_back(pair);
    } else if (*known != pair.value && !first_wins) {
      refuse(fmt::format("{} '{}' is '{}' in the first model and '{}' in the second: change or remove one, or let the first win", what,
                         pair.key, *known, pair.value));
    }
  }
}

void merge_configurations(Model& to, const std::vector<model::DeviceConfiguration>& configurations) {
  for (const model::DeviceConfiguration& added : configurations) {
    const auto same = [&](const model::DeviceConfiguration& other) { return other.name == added.name; };
    const auto found = std::find_if(to.configuration.begin(), to.configuration.end(), same);
    if (found == to.configuration.end()) {
      to.configuration.push_back(added);
    } else if (*found != added) {
      refuse(fmt::format("the models have different device configurations named '{}': rename one", added.name));
    }
  }
}

std::string joined(const std::string& a, const std::string& b, std::string_view between) {
  if (a.empty() || b.empty()) return a.empty() ? b : a;
  return fmt::format("{}{}{}", a, between, b);
}

template <class T, class Name>
void append_unless(std::vector<T>& to, const std::vector<T>& from, const NameSet& left_out, const Name& name_of) {
  for (const T& entry : from) {
    if (!left_out.contains(name_of(entry))) to.push_back(entry);
  }
}

// Both graphs as one; `b` names its connected inputs as `a` names the outputs, which are `joints`.
void merge_graph(Graph& a, const Graph& b, const NameSet& joints, bool keep_joints, const MergeOptions& options) {
  const auto value_name = [](const ValueInfo& value) -> std::string_view { return value.name; };
  append(a.node, b.node);
  append_unless(a.input, b.input, joints, value_name);
  append_unless(a.initializer, b.initializer, joints, [](const model::TensorData& tensor) -> std::string_view { return tensor.name; });
  append_unless(a.sparse_initializer, b.sparse_initializer, joints,
                [](const model::SparseTensorData& tensor) -> std::string_view { return tensor.values.name; });
  append_unless(a.value_info, b.value_info, joints, value_name);
  append_unless(a.quantization_annotation, b.quantization_annotation, joints,
                [](const model::TensorAnnotation& annotation) -> std::string_view { return annotation.tensor_name; });
  NameSet told;
  for (const ValueInfo& value : a.value_info) told.insert(value.name);
  std::vector<ValueInfo> outputs, inner;
  for (const ValueInfo& output : a.output) {
    const bool is_joint = joints.contains(output.name);
    if (!is_joint || keep_joints) outputs.push_back(output);
    if (is_joint && !keep_joints && !told.contains(output.name) && find_value(b.output, output.name) == nullptr) inner.push_back(output);
  }
  append_unless(outputs, b.output, keep_joints ? joints : NameSet(), value_name);
  append(a.value_info, inner);
  a.output = std::move(outputs);
  a.name = options.name.empty() ? joined(a.name, b.name, "_") : options.name;
  a.doc_string = joined(a.doc_string, b.doc_string, "\n\n");
  merge_pairs(a.metadata_props, b.metadata_props, "metadata of the graph:", options.first_metadata_wins);
}

// The joints that the second model hands through must not be outputs twice.
void expect_distinct_outputs(const Graph& graph) {
  NameSet seen;
  for (const ValueInfo& output : graph.output) {
    if (!seen.insert(output.name).second) {
      refuse(fmt::format("the second model hands '{}' through to more than one output: put an Identity node between", output.name));
    }
  }
}

Model keep_only(const Model& merged, const MergeOptions& options) {
  std::vector<std::string> inputs = options.inputs, outputs = options.outputs;
  const auto all = [](std::vector<std::string>& names, const std::vector<ValueInfo>& values) {
    for (const ValueInfo& value : values) names.push_back(value.name);
  };
  if (inputs.empty()) all(inputs, merged.graph.input);
  for (const std::string& name : options.outputs) expect_value(merged.graph.output, name, "output");
  for (const std::string& name : options.inputs) expect_value(merged.graph.input, name, "input");
  if (outputs.empty()) all(outputs, merged.graph.output);
  Model kept = extract_model(merged, inputs, outputs, {.require_types = false});
  kept.training_info = merged.training_info;
  return kept;
}

IoMap prefixed(const IoMap& io_map, const MergeOptions& options) {
  IoMap result;
  for (const auto& [output, input] : io_map) result.emplace_back(options.prefix_a + output, options.prefix_b + input);
  return result;
}

}  // namespace
}  // namespace edit

model::Model merge_models(const model::Model& a, const model::Model& b, const IoMap& io_map, const MergeOptions& options) {
  using namespace edit;
  model::Model result = a, second = b;
  add_prefix(result, options.prefix_a);
  add_prefix(second, options.prefix_b);
  const NameMap connected = connections(result.graph, second.graph, prefixed(io_map, options));
  expect_distinct(result, second, connected);
  expect_distinct_nodes(result.graph, second.graph);
  result.opset_import = merged_opsets(a, b);
  result.ir_version = std::max(a.ir_version, b.ir_version);
  replace_names(second, connected);
  NameSet joints;
  for (const auto& entry : connected) joints.insert(entry.second);
  merge_graph(result.graph, second.graph, joints, !options.outputs.empty(), options);
  expect_distinct_outputs(result.graph);
  merge_functions(result, second.functions);
  merge_configurations(result, second.configuration);
  append(result.training_info, second.training_info);
  merge_pairs(result.metadata_props, b.metadata_props, "metadata", options.first_metadata_wins);
  result.producer_name = "sardonyx";
  result.producer_version = kVersion;
  result.doc_string = joined(a.doc_string, b.doc_string, "\n\n");
  return options.inputs.empty() && options.outputs.empty() ? result : keep_only(result, options);
}

}  // namespace sardonyx
