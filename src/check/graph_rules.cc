#include "check/graph_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "check/node_rules.h"
#include "check/tensor_rules.h"
#include "check/type_rules.h"
#include "core/closest.h"
#include "core/utf8.h"

namespace sardonyx::check {

namespace {
using model::Attribute;
using model::Graph;
using model::Node;
using model::TensorType;
using Origin = NameScope::Origin;

constexpr int kMaxDepth = 256;
constexpr size_t kMaxHinted = 100'000;  // names looked at for hints, altogether
constexpr size_t kMaxHintName = 100;    // length

// Names that nodes take, those of their subgraphs among them.
void add_used(const std::vector<Node>& nodes, std::unordered_set<std::string_view>& used, int depth) {
  if (depth > kMaxDepth) return;
  for (const Node& node : nodes) {
    used.insert(node.input.begin(), node.input.end());
    for (const Attribute& attribute : node.attribute) {
      if (attribute.g != nullptr) add_used(attribute.g->node, used, depth + 1);
      for (const std::shared_ptr<Graph>& graph : attribute.graphs) add_used(graph->node, used, depth + 1);
    }
  }
}

class GraphChecker {
 public:
  GraphChecker(Reporter& reporter, const NodeContext& context) : reporter_(reporter), context_(context) {}

  void check(const Graph& graph, NameScope& scope, bool is_subgraph) {
    const Reporter::Names names(reporter_, scope);
    if (graph.name.empty()) reporter_.add(Code::kGraphName, "the graph has no name", "give it one");
    if (!core::is_utf8(graph.name)) reporter_.add(Code::kInvalidUtf8, "the graph's name is not UTF-8", "rename it");
    define_inputs(graph, scope, is_subgraph);
    define_initializers(graph, scope);
    check_nodes(graph.node, scope);
    for (const model::ValueInfo& output : graph.output) {
      // Inference finds another type, unless UNDEFINED stands there.
      const TensorType* tensor = output.type.tensor();
      const bool contradicts = context_.model.full && tensor != nullptr && tensor->elem_type != 0;
      check_value_info(reporter_, output, "output", is_subgraph, contradicts ? Severity::kError : Severity::kWarning);
      if (!output.name.empty()) check_output(output.name, scope);
    }
    check_declared(reporter_, graph.value_info, scope);
    check_annotations(graph, scope);
  }

  void check_body(const model::Function& function) {
    NameScope scope;
    const Reporter::Names names(reporter_, scope);
    for (const std::string& input : function.input) {
      if (!scope.define(input, {Origin::kInput, nullptr})) redefined(input);
    }
    check_nodes(function.node, scope);
    std::unordered_set<std::string_view> outputs;
    for (const std::string& output : function.output) {
      if (!scope.has(output)) {
        reporter_.add({.code = Code::kOutputUndefined,
                       .message = fmt::format("function output {} is computed by no node", quote(output)),
                       .severity = Severity::kUnrunnable});
      }
      if (!outputs.insert(output).second) {
        reporter_.add(Code::kFunctionParameter, fmt::format("the function has the output {} twice", quote(output)), "name it once");
      }
    }
    check_declared(reporter_, function.value_info, scope);
  }

 private:
  void redefined(std::string_view name) {
    reporter_.add({.code = Code::kValueRedefined,
                   .message = fmt::format("{} is defined a second time", quote(name)),
                   .cure = "give each value a name of its own",
                   .value = name});
  }

  void define_inputs(const Graph& graph, NameScope& scope, bool is_subgraph) {
    std::unordered_set<std::string_view> used;
    for (const model::ValueInfo& input : graph.input) {
      if (context_.model.full && used.empty() && has_unknown_element(input.type)) add_used(graph.node, used, 0);
      // Inference fails at the first node that uses it, or where it binds the input of a body to what the node gives it.
      const TensorType* tensor = input.type.tensor();
      const bool is_bound = context_.model.full && is_subgraph && tensor != nullptr && tensor->elem_type != 0;
      const bool fails = is_bound || used.contains(input.name);
      check_value_info(reporter_, input, "input", is_subgraph, fails ? Severity::kError : Severity::kUnrunnable);
      if (!input.name.empty() && !scope.define(input.name, {Origin::kInput, nullptr})) redefined(input.name);
    }
  }

  void define_initializer(const std::string& name, bool is_sparse, NameScope& scope, std::unordered_set<std::string_view>& seen) {
    if (!core::is_utf8(name)) reporter_.add(Code::kInvalidUtf8, fmt::format("the name of initializer {} is not UTF-8", quote(name)));
    if (name.empty()) {
      reporter_.add(Code::kInitializerName, "an initializer has no name", "name it");
    } else if (!seen.insert(name).second) {
      reporter_.add(Code::kInitializerDuplicate, fmt::format("two initializers are named {}", quote(name)), "keep one, or rename it");
    } else if (scope.define(name, {Origin::kInitializer, nullptr}) && context_.model.model.ir_version < 4 && !is_sparse) {
      reporter_.add(Code::kInitializerNotInput, fmt::format("initializer {} is not a graph input", quote(name)),
                    "declare it as an input, or set ir_version to 4 or later");
    }
  }

  void define_initializers(const Graph& graph, NameScope& scope) {
    std::unordered_set<std::string_view> seen;
    for (const model::TensorData& initializer : graph.initializer) {
      define_initializer(initializer.name, false, scope, seen);
      check_tensor(reporter_, initializer, context_.model.external);
    }
    for (const model::SparseTensorData& initializer : graph.sparse_initializer) {
      define_initializer(initializer.values.name, true, scope, seen);
      check_sparse_tensor(reporter_, initializer, context_.model.external);
    }
  }

  void check_nodes(const std::vector<Node>& nodes, NameScope& scope) {
    scope.expect(nodes);
    std::unordered_set<std::string_view> seen;
    for (const Node& node : nodes) {
      const Reporter::Scope where(reporter_, node);
      if (!node.name.empty() && !seen.insert(node.name).second) {
        reporter_.add(Code::kNodeName, fmt::format("another node is named {} too", quote(node.name)), "rename one");
      }
      for (const std::string& input : node.input) check_use(input, node, scope);
      check_node(reporter_, node, context_, depth_ > 0);
      check_subgraphs(node, scope);
      for (const std::string& output : node.output) define_output(output, node, scope);
    }
  }

  void define_output(const std::string& output, const Node& node, NameScope& scope) {
    if (output.empty()) return;
    scope.reached(output);
    if (!core::is_utf8(output)) reporter_.add(Code::kInvalidUtf8, fmt::format("the name of output {} is not UTF-8", quote(output)));
    if (scope.has(output)) {
      redefined(output);
    } else {
      scope.define(output, {Origin::kNode, &node});
    }
  }

  void check_use(const std::string& input, const Node& node, const NameScope& scope) {
    if (input.empty() || scope.has(input)) return;
    const Node* later = scope.later(input);
    if (later == nullptr) {
      reporter_.add(Code::kUndefinedInput, fmt::format("input {} is defined by nothing{}", quote(input), hint(input, scope)),
                    "name a value that stands before the node");
    } else if (later == &node) {
      reporter_.add(Code::kNodeOrder, fmt::format("input {} is the node's own output: a cycle", quote(input)), "break the cycle");
    } else {
      reporter_.add({.code = Code::kNodeOrder,
                     .message = fmt::format("input {} is made only later, by {}", quote(input), model::describe(*later)),
                     .cure = "sort the nodes so that each stands after those it uses; a cycle must be broken",
                     .value = input});
    }
  }

  // Names close to an undefined one; only as long as few names were looked at, since each costs.
  std::string hint(std::string_view name, const NameScope& scope) {
    hinted_ += scope.sources().size();
    if (hinted_ > kMaxHinted || name.size() > kMaxHintName) return "";
    std::vector<std::string_view> names;
    for (const auto& [known, source] : scope.sources()) {
      if (known.size() <= kMaxHintName) names.push_back(known);
    }
    std::sort(names.begin(), names.end());
    return core::closest_hint(name, names);
  }

  void check_output(const std::string& name, const NameScope& scope) {
    if (scope.has_here(name)) return;
    if (scope.has(name)) {
      reporter_.add({.code = Code::kOutputUndefined,
                     .message = fmt::format("graph output {} is a value of a graph around it", quote(name)),
                     .cure = "add an Identity node that makes the output from it",
                     .value = name});
    } else {
      reporter_.add(Code::kOutputUndefined, fmt::format("graph output {} is computed by no node", quote(name)),
                    "remove the output, or name the one that was meant");
    }
  }

  void check_annotations(const Graph& graph, const NameScope& scope) {
    for (const model::TensorAnnotation& annotation : graph.quantization_annotation) {
      const auto check = [&](const std::string& name) {
        if (!scope.has(name)) reporter_.add(Code::kAnnotationUndefined, fmt::format("{} is not a value of the graph", quote(name)));
      };
      check(annotation.tensor_name);
      for (const model::StringPair& pair : annotation.quant_parameter_tensor_names) check(pair.value);
    }
  }

  void check_subgraphs(const Node& node, const NameScope& scope) {
    for (const Attribute& attribute : node.attribute) {
      if (attribute.g != nullptr) check_subgraph(*attribute.g, attribute.name, scope);
      for (const std::shared_ptr<Graph>& graph : attribute.graphs) check_subgraph(*graph, attribute.name, scope);
    }
  }

  void check_subgraph(const Graph& graph, const std::string& name, const NameScope& scope) {
    const Reporter::Scope where(reporter_, name);
    if (++depth_ > kMaxDepth) {
      reporter_.add(Code::kDepth, fmt::format("subgraphs are nested more than {} deep", kMaxDepth));
    } else {
      NameScope inner(&scope);
      check(graph, inner, true);
    }
    --depth_;
  }

  Reporter& reporter_;
  const NodeContext& context_;
  int depth_ = 0;
  size_t hinted_ = 0;
};
}  // namespace

void check_main_graph(Reporter& reporter, const Graph& graph, const NodeContext& context, NameScope& names) {
  const Reporter::Scope where(reporter, "graph " + quote(graph.name));
  GraphChecker(reporter, context).check(graph, names, false);
}

void check_body(Reporter& reporter, const model::Function& function, const NodeContext& context) {
  GraphChecker(reporter, context).check_body(function);
}

}  // namespace sardonyx::check
