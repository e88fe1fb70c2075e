// The structural difference of two models. Nodes are matched first (diff_match.h), then everything is compared pair by pair.
#include <algorithm>

#include "edit/diff_match.h"
#include "edit/diff_tensor.h"
#include "edit/walk.h"
#include "sardonyx/edit.h"
#include "sardonyx/text.h"

namespace sardonyx {

namespace edit {
namespace {
using model::Attribute;
using model::Function;
using model::Graph;
using model::Model;
using model::Node;
using model::ValueInfo;

constexpr size_t kShown = 160;  // characters of a side
constexpr std::string_view kOnlyA = "only in A", kOnlyB = "only in B";
const model::TextOptions kTextOptions{.max_elements = 16};

std::string shortened(std::string text) {
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string node_label(const Node& node) {
  std::string label = describe(node);
  if (!plain_domain(node.domain).empty()) label.insert(label.size() - 1, fmt::format(" of {}", node.domain));
  return label;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// One graph's names, and what the values of A are called in B where names are ignored.
struct GraphNames {
  std::unordered_map<std::string_view, const model::TensorData*> constants;
  std::unordered_map<std::string_view, size_t> producers;

  explicit GraphNames(const Graph& graph) {
    for (const model::TensorData& tensor : graph.initializer) constants.emplace(tensor.name, &tensor);
    for (size_t i = 0; i < graph.node.size(); ++i) {
      for (const std::string& name : graph.node[i].output) producers.emplace(name, i);
    }
  }
  const model::TensorData* constant(std::string_view name) const {
    const auto found = constants.find(name);
    return found == constants.end() ? nullptr : found->second;
  }
};

// The pair of graphs being compared, within those around them.
struct Pair {
  const Pair* outer = nullptr;
  GraphNames a, b;
  std::unordered_map<std::string_view, std::string_view> b_of_a;  // values

  Pair(const Pair* around, const Graph& in_a, const Graph& in_b) : outer(around), a(in_a), b(in_b) {}
  const std::string_view* find(std::string_view name) const {
    for (const Pair* pair = this; pair != nullptr; pair = pair->outer) {
      const auto found = pair->b_of_a.find(name);
      if (found != pair->b_of_a.end()) return &found->second;
    }
    return nullptr;
  }
  const model::TensorData* constant(const GraphNames Pair::*side, std::string_view name) const {
    for (const Pair* pair = this; pair != nullptr; pair = pair->outer) {
      if (const model::TensorData* found = (pair->*side).constant(name)) return found;
    }
    return nullptr;
  }
};

class Differ {
 public:
  explicit Differ(const DiffOptions& options) : options_(options) {}

  DiffReport run(const Model& a, const Model& b) {
    for (const Model* model : {&a, &b}) for_each_node_of(*model, [](const Node&) {});  // an error if too deep
    header(a, b);
    graph("graph", a.graph, b.graph, nullptr);
    functions(a, b);
    training(a, b);
    if (a.configuration != b.configuration) add("model", "device configurations", count(a.configuration), count(b.configuration));
    return std::move(report_);
  }

 private:
  void add(std::string_view path, std::string_view what, std::string a, std::string b) {
    if (report_.differences.size() >= options_.max_differences) {
      ++report_.left_out;
      return;
    }
    report_.differences.push_back({std::string(path), std::string(what), shortened(std::move(a)), shortened(std::move(b))});
  }

  template <class T>
  void field(std::string_view path, std::string_view what, const T& a, const T& b) {
    if (a != b) add(path, what, fmt::format("{}", a), fmt::format("{}", b));
  }
  template <class List>
  static std::string count(const List& list) {
    return std::to_string(list.size());
  }

  // Entries of two lists by key; compare(a, b) for those in both. The order means nothing.
  template <class List, class Key, class Tell, class Compare>
  void by_key(std::string_view path, const List& a, const List& b, const Key& key, const Tell& tell, const Compare& compare) {
    using Entry = typename List::value_type;
    std::map<decltype(key(a.front())), const Entry*> left;
    for (const Entry& entry : b) left.emplace(key(entry), &entry);
    for (const Entry& entry : a) {
      const auto found = left.find(key(entry));
      if (found == left.end()) {
        add(path, kOnlyA, tell(entry), "");
      } else {
        compare(entry, *found->second);
        left.erase(found);
      }
    }
    for (const Entry& entry : b) {
      const auto found = left.find(key(entry));
      if (found != left.end() && found->second == &entry) add(path, kOnlyB, "", tell(entry));
    }
  }

  void docs(std::string_view path, const std::string& a, const std::string& b) {
    if (!options_.ignore_docs) field(path, "doc_string", a, b);
  }

  void metadata(const std::string& path, const model::StringPairs& a, const model::StringPairs& b) {
    if (options_.ignore_metadata || a == b) return;
    pairs(path + " / metadata", a, b);
  }

  void pairs(const std::string& path, const model::StringPairs& a, const model::StringPairs& b) {
    by_key(
        path, a, b, [](const model::StringPair& pair) -> std::string_view { return pair.key; },
        [](const model::StringPair& pair) { return fmt::format("{} = {}", pair.key, pair.value); },
        [&](const model::StringPair& x, const model::StringPair& y) {
          field(fmt::format("{} '{}'", path, x.key), "value", x.value, y.value);
        });
  }

  void header(const Model& a, const Model& b) {
    if (!options_.ignore_docs) {
      field("model", "ir_version", a.ir_version, b.ir_version);
      field("model", "producer_name", a.producer_name, b.producer_name);
      field("model", "producer_version", a.producer_version, b.producer_version);
      field("model", "domain", a.domain, b.domain);
      field("model", "model_version", a.model_version, b.model_version);
    }
    docs("model", a.doc_string, b.doc_string);
    metadata("model", a.metadata_props, b.metadata_props);
    opsets("model", a.opset_import, b.opset_import);
  }

  void opsets(std::string_view path, const std::vector<model::OpsetId>& a, const std::vector<model::OpsetId>& b) {
    by_key(
        path, a, b, [](const model::OpsetId& id) { return plain_domain(id.domain); },
        [](const model::OpsetId& id) { return fmt::format("opset {} {}", shown_domain(plain_domain(id.domain)), id.version); },
        [&](const model::OpsetId& x, const model::OpsetId& y) {
          field(fmt::format("{} / opset {}", path, shown_domain(plain_domain(x.domain))), "version", x.version, y.version);
        });
  }

  // ---- Values ----

  void type(std::string_view path, const model::Type& a, const model::Type& b) {
    if (a == b) return;
    const std::string x = to_text(a, kTextOptions), y = to_text(b, kTextOptions);
    if (x != y) add(path, "type", x, y);
  }

  void value(const std::string& path, const ValueInfo& a, const ValueInfo& b) {
    type(path, a.type, b.type);
    docs(path, a.doc_string, b.doc_string);
    metadata(path, a.metadata_props, b.metadata_props);
  }

  void named_values(const std::string& path, std::string_view kind, const std::vector<ValueInfo>& a, const std::vector<ValueInfo>& b) {
    by_key(
        path, a, b, [](const ValueInfo& v) -> std::string_view { return v.name; },
        [&](const ValueInfo& v) { return fmt::format("{} '{}'", kind, v.name); },
        [&](const ValueInfo& x, const ValueInfo& y) {
          if (x != y) value(fmt::format("{} / {} '{}'", path, kind, x.name), x, y);
        });
  }

  // Inputs and outputs: their order is part of the graph.
  void boundary(const std::string& path, std::string_view kind, const std::vector<ValueInfo>& a, const std::vector<ValueInfo>& b) {
    if (!options_.ignore_names) {
      named_values(path, kind, a, b);
      const auto names = [](const std::vector<ValueInfo>& list) {
        std::vector<std::string> result;
        for (const ValueInfo& v : list) result.push_back(v.name);
        return result;
      };
      const auto x = names(a), y = names(b);
      if (x != y && std::is_permutation(x.begin(), x.end(), y.begin(), y.end())) {
        add(path, fmt::format("order of {}s", kind), joined(x), joined(y));
      }
      return;
    }
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i >= b.size()) {
        add(path, kOnlyA, fmt::format("{} {}, '{}'", kind, i, a[i].name), "");
      } else if (i >= a.size()) {
        add(path, kOnlyB, "", fmt::format("{} {}, '{}'", kind, i, b[i].name));
      } else {
        value(fmt::format("{} / {} {}", path, kind, i), a[i], b[i]);
      }
    }
  }

  void tensor(const std::string& path, const model::TensorData& a, const model::TensorData& b) {
    if (auto difference = compare_tensors(a, b)) add(path, difference->what, std::move(difference->a), std::move(difference->b));
    docs(path, a.doc_string, b.doc_string);
    metadata(path, a.metadata_props, b.metadata_props);
  }

  void initializers(const std::string& path, const Graph& a, const Graph& b) {
    by_key(
        path, a.initializer, b.initializer, [](const model::TensorData& t) -> std::string_view { return t.name; },
        [](const model::TensorData& t) { return fmt::format("initializer '{}' {}", t.name, to_string(std::span<const int64_t>(t.dims))); },
        [&](const model::TensorData& x, const model::TensorData& y) { tensor(fmt::format("{} / initializer '{}'", path, x.name), x, y); });
    by_key(
        path, a.sparse_initializer, b.sparse_initializer,
        [](const model::SparseTensorData& t) -> std::string_view { return t.values.name; },
        [](const model::SparseTensorData& t) { return fmt::format("sparse initializer '{}'", t.values.name); },
        [&](const model::SparseTensorData& x, const model::SparseTensorData& y) {
          sparse(fmt::format("{} / sparse initializer '{}'", path, x.values.name), x, y);
        });
  }

  void sparse(const std::string& path, const model::SparseTensorData& a, const model::SparseTensorData& b) {
    tensor(path + " / values", a.values, b.values);
    tensor(path + " / indices", a.indices, b.indices);
    if (a.dims != b.dims) {
      add(path, "dims", to_string(std::span<const int64_t>(a.dims)), to_string(std::span<const int64_t>(b.dims)));
    }
  }

  void annotations(const std::string& path, const Graph& a, const Graph& b) {
    by_key(
        path, a.quantization_annotation, b.quantization_annotation,
        [](const model::TensorAnnotation& t) -> std::string_view { return t.tensor_name; },
        [](const model::TensorAnnotation& t) { return fmt::format("quantization annotation '{}'", t.tensor_name); },
        [&](const model::TensorAnnotation& x, const model::TensorAnnotation& y) {
          pairs(fmt::format("{} / quantization annotation '{}'", path, x.tensor_name), x.quant_parameter_tensor_names,
                y.quant_parameter_tensor_names);
        });
  }

  // ---- Graphs ----

  void graph(const std::string& path, const Graph& a, const Graph& b, const Pair* outer) {
    if (!options_.ignore_names) {
      field(path, "name", a.name, b.name);
      initializers(path, a, b);
      named_values(path, "value_info", a.value_info, b.value_info);
      annotations(path, a, b);
    }
    docs(path, a.doc_string, b.doc_string);
    metadata(path, a.metadata_props, b.metadata_props);
    boundary(path, "input", a.input, b.input);
    boundary(path, "output", a.output, b.output);
    Pair pair(outer, a, b);
    nodes(path, a, b, pair);
    if (!options_.ignore_names) return;
    for (size_t i = 0; i < std::min(a.output.size(), b.output.size()); ++i) {
      use(fmt::format("{} / output {}", path, i), a.output[i].name, b.output[i].name, pair);
    }
  }

  void nodes(const std::string& path, const Graph& a, const Graph& b, Pair& pair) {
    const NodeMatches matches = match_nodes(a, b, options_.ignore_names);
    if (options_.ignore_names) correspond(a, b, matches, pair);
    for (size_t i = 0; i < a.node.size(); ++i) {
      const size_t match = matches.b_of_a[i];
      if (match == kNoMatch) {
        add(path, kOnlyA, node_label(a.node[i]), "");
      } else if (options_.ignore_names || a.node[i] != b.node[match]) {
        node(fmt::format("{} / {}", path, node_label(a.node[i])), a.node[i], b.node[match], pair);
      }
    }
    for (size_t i = 0; i < b.node.size(); ++i) {
      if (matches.a_of_b[i] == kNoMatch) add(path, kOnlyB, "", node_label(b.node[i]));
    }
  }

  static void correspond(const Graph& a, const Graph& b, const NodeMatches& matches, Pair& pair) {
    for (size_t i = 0; i < std::min(a.input.size(), b.input.size()); ++i) pair.b_of_a.emplace(a.input[i].name, b.input[i].name);
    for (size_t i = 0; i < a.node.size(); ++i) {
      if (matches.b_of_a[i] == kNoMatch) continue;
      const Node &x = a.node[i], &y = b.node[matches.b_of_a[i]];
      for (size_t k = 0; k < std::min(x.output.size(), y.output.size()); ++k) pair.b_of_a.emplace(x.output[k], y.output[k]);
    }
  }

  // One place where a value is used, names being ignored.
  void use(const std::string& path, const std::string& a, const std::string& b, const Pair& pair) {
    const std::string_view* expected = pair.find(a);
    if (a.empty() && b.empty()) return;
    if (expected != nullptr && !a.empty() && *expected == b) return;
    const model::TensorData* x = pair.constant(&Pair::a, a);
    const model::TensorData* y = pair.constant(&Pair::b, b);
    if (x != nullptr && y != nullptr) {
      tensor(path, *x, *y);
      return;
    }
    add(path, "comes from another value", a, expected != nullptr ? fmt::format("{} (the same would be {})", b, *expected) : b);
  }

  void node(const std::string& path, const Node& a, const Node& b, const Pair& pair) {
    field(path, "op_type", a.op_type, b.op_type);
    field(path, "domain", plain_domain(a.domain), plain_domain(b.domain));
    field(path, "overload", a.overload, b.overload);
    if (!options_.ignore_names) field(path, "name", a.name, b.name);
    node_values(path, a, b, pair);
    attributes(path, a.attribute, b.attribute, pair);
    docs(path, a.doc_string, b.doc_string);
    metadata(path, a.metadata_props, b.metadata_props);
    if (!options_.ignore_names && a.device_configurations != b.device_configurations) {
      add(path, "device configurations", count(a.device_configurations), count(b.device_configurations));
    }
  }

  void node_values(const std::string& path, const Node& a, const Node& b, const Pair& pair) {
    if (!options_.ignore_names) {
      if (a.input != b.input) add(path, "inputs", joined(a.input), joined(b.input));
      if (a.output != b.output) add(path, "outputs", joined(a.output), joined(b.output));
      return;
    }
    if (a.input.size() != b.input.size()) field(path, "number of inputs", a.input.size(), b.input.size());
    if (a.output.size() != b.output.size()) field(path, "number of outputs", a.output.size(), b.output.size());
    for (size_t i = 0; i < std::min(a.input.size(), b.input.size()); ++i) {
      use(fmt::format("{} / input {}", path, i), a.input[i], b.input[i], pair);
    }
    for (size_t i = 0; i < std::min(a.output.size(), b.output.size()); ++i) {
      if (a.output[i].empty() != b.output[i].empty()) add(fmt::format("{} / output {}", path, i), "is left out", a.output[i], b.output[i]);
    }
  }

  void attributes(const std::string& path, const std::vector<Attribute>& a, const std::vector<Attribute>& b, const Pair& pair) {
    by_key(
        path, a, b, [](const Attribute& x) -> std::string_view { return x.name; },
        [](const Attribute& x) { return "attribute " + (x.g != nullptr || !x.graphs.empty() ? x.name : to_text(x, kTextOptions)); },
        [&](const Attribute& x, const Attribute& y) { attribute(fmt::format("{} / attribute '{}'", path, x.name), x, y, pair); });
  }

  void attribute(const std::string& path, const Attribute& a, const Attribute& b, const Pair& pair) {
    docs(path, a.doc_string, b.doc_string);
    field(path, "type", to_string(a.type), to_string(b.type));
    field(path, "reference to", a.ref_attr_name, b.ref_attr_name);
    if (a.type != b.type || !a.ref_attr_name.empty() || !b.ref_attr_name.empty()) return;
    if (a.t != nullptr && b.t != nullptr) return tensor(path, *a.t, *b.t);
    if (a.sparse_tensor != nullptr && b.sparse_tensor != nullptr) return sparse(path, *a.sparse_tensor, *b.sparse_tensor);
    if (a.g != nullptr && b.g != nullptr) return graph(path, *a.g, *b.g, &pair);
    if (a.graphs.size() != b.graphs.size()) add(path, "number of graphs", count(a.graphs), count(b.graphs));
    for (size_t i = 0; i < std::min(a.graphs.size(), b.graphs.size()); ++i) {
      graph(fmt::format("{} [{}]", path, i), *a.graphs[i], *b.graphs[i], &pair);
    }
    if (!a.graphs.empty()) return;
    if (a.tensors.size() != b.tensors.size()) add(path, "number of tensors", count(a.tensors), count(b.tensors));
    for (size_t i = 0; i < std::min(a.tensors.size(), b.tensors.size()); ++i) {
      tensor(fmt::format("{} [{}]", path, i), a.tensors[i], b.tensors[i]);
    }
    if (a.tensors.empty()) plain_attribute(path, a, b);
  }

  // Numbers, strings, types: what differs is told as text.
  void plain_attribute(const std::string& path, Attribute a, Attribute b) {
    a.doc_string = b.doc_string = {};
    if (a == b) return;
    const std::string x = to_text(a), y = to_text(b);
    if (x != y) add(path, "value", x, y);
  }

  // ---- Functions and training ----

  // A function's body in the form of a graph.
  static Graph body_of(const Function& function) {
    Graph body;
    const auto values = [](const std::vector<std::string>& names) {
      std::vector<ValueInfo> list(names.size());
      for (size_t i = 0; i < names.size(); ++i) list[i].name = names[i];
      return list;
    };
    body.input = values(function.input);
    body.output = values(function.output);
    body.node = function.node;
    body.value_info = function.value_info;
    body.doc_string = function.doc_string;
    body.metadata_props = function.metadata_props;
    return body;
  }

  void functions(const Model& a, const Model& b) {
    by_key(
        "model", a.functions, b.functions, [](const Function& f) { return key_of(f); }, [](const Function& f) { return describe(f); },
        [&](const Function& x, const Function& y) {
          if (x == y) return;
          const std::string path = describe(x);
          opsets(path, x.opset_import, y.opset_import);
          if (x.attribute != y.attribute) add(path, "attributes", joined(x.attribute), joined(y.attribute));
          const Graph left = body_of(x), right = body_of(y);
          attributes(path, x.attribute_proto, y.attribute_proto, Pair(nullptr, left, right));
          graph(path, left, right, nullptr);
        });
  }

  void training(const Model& a, const Model& b) {
    if (a.training_info.size() != b.training_info.size()) {
      add("model", "number of training_info", count(a.training_info), count(b.training_info));
    }
    for (size_t i = 0; i < std::min(a.training_info.size(), b.training_info.size()); ++i) {
      const model::TrainingInfo &x = a.training_info[i], &y = b.training_info[i];
      const std::string path = fmt::format("training_info {}", i);
      const Pair around(nullptr, a.graph, b.graph);
      graph(path + " / initialization", x.initialization, y.initialization, &around);
      graph(path + " / algorithm", x.algorithm, y.algorithm, &around);
      if (options_.ignore_names) continue;
      pairs(path + " / initialization_binding", x.initialization_binding, y.initialization_binding);
      pairs(path + " / update_binding", x.update_binding, y.update_binding);
    }
  }

  const DiffOptions& options_;
  DiffReport report_;
};

}  // namespace
}  // namespace edit

DiffReport diff_models(const model::Model& a, const model::Model& b, const DiffOptions& options) { return edit::Differ(options).run(a, b); }

}  // namespace sardonyx
