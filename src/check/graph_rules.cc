#include "check/graph_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "check/tensor_rules.h"
#include "core/closest.h"

namespace sardonyx::check {

namespace {
using model::Attribute;
using model::Graph;
using model::Node;

constexpr int kMaxDepth = 256;
constexpr int kMaxHints = 20;

// The names of one graph, within those of the graphs around it.
struct NameScope {
  const NameScope* outer = nullptr;
  std::unordered_set<std::string_view> names;
  std::unordered_map<std::string_view, const Node*> later;  // outputs of nodes not reached yet

  bool has(std::string_view name) const {
    for (const NameScope* scope = this; scope != nullptr; scope = scope->outer) {
      if (scope->names.contains(name)) return true;
    }
    return false;
  }
};

class GraphChecker {
 public:
  GraphChecker(Reporter& reporter, const NodeContext& context) : reporter_(reporter), context_(context) {}

  void check(const Graph& graph, const NameScope* outer, bool is_subgraph) {
    NameScope scope{outer, {}, {}};
    if (graph.name.empty()) {
      reporter_.add(Code::kGraphName, "the graph has no name", "give it one");
    }
    define_inputs(graph, scope, is_subgraph);
    define_initializers(graph, scope);
    check_nodes(graph.node, scope);
    for (const model::ValueInfo& output : graph.output) {
      check_value_info(output, "output", is_subgraph);
      if (!output.name.empty() && !scope.has(output.name)) {
        reporter_.add(Code::kOutputUndefined, fmt::format("graph output '{}' is computed by no node", output.name));
      }
    }
  }

  void check_body(const model::Function& function) {
    NameScope scope;
    for (const std::string& input : function.input) {
      if (!input.empty() && !scope.names.insert(input).second) redefined(input);
    }
    check_nodes(function.node, scope);
    for (const std::string& output : function.output) {
      if (!scope.has(output)) reporter_.add(Code::kOutputUndefined, fmt::format("function output '{}' is computed by no node", output));
    }
  }

 private:
  void redefined(std::string_view name) {
    reporter_.add(Code::kValueRedefined, fmt::format("'{}' is defined a second time", name), "give each value a name of its own");
  }

  void check_value_info(const model::ValueInfo& value, std::string_view what, bool is_subgraph) {
    if (value.name.empty()) {
      reporter_.add(Code::kValueName, fmt::format("a graph {} has no name", what));
    } else if (value.type.absent() && !is_subgraph) {
      reporter_.add(Code::kTypeMissing, fmt::format("graph {} '{}' has no type", what, value.name));
    }
  }

  void define_inputs(const Graph& graph, NameScope& scope, bool is_subgraph) {
    for (const model::ValueInfo& input : graph.input) {
      check_value_info(input, "input", is_subgraph);
      if (!input.name.empty() && !scope.names.insert(input.name).second) redefined(input.name);
    }
  }

  void define_initializer(const std::string& name, NameScope& scope, std::unordered_set<std::string_view>& seen) {
    if (name.empty()) {
      reporter_.add(Code::kInitializerName, "an initializer has no name");
    } else if (!seen.insert(name).second) {
      reporter_.add(Code::kInitializerDuplicate, fmt::format("two initializers are named '{}'", name));
    } else if (scope.names.insert(name).second && context_.model.ir_version < 4) {
      reporter_.add(Code::kInitializerNotInput, fmt::format("initializer '{}' is not a graph input", name),
                    "declare it as an input, or set ir_version to 4 or later");
    }
  }

  void define_initializers(const Graph& graph, NameScope& scope) {
    std::unordered_set<std::string_view> seen;
    for (const model::TensorData& initializer : graph.initializer) {
      define_initializer(initializer.name, scope, seen);
      check_tensor(reporter_, initializer);
    }
    for (const model::SparseTensorData& initializer : graph.sparse_initializer) {
      define_initializer(initializer.values.name, scope, seen);
      check_sparse_tensor(reporter_, initializer);
    }
  }

  void check_nodes(const std::vector<Node>& nodes, NameScope& scope) {
    for (const Node& node : nodes) {
      for (const std::string& output : node.output) {
        if (!output.empty()) scope.later.emplace(output, &node);
      }
    }
    for (const Node& node : nodes) {
      const Reporter::Scope where(reporter_, describe(node));
      for (const std::string& input : node.input) check_use(input, node, scope);
      check_node(reporter_, node, context_);
      check_subgraphs(node, scope);
      for (const std::string& output : node.output) {
        if (output.empty()) continue;
        scope.later.erase(output);
        if (scope.has(output)) {
          redefined(output);
        } else {
          scope.names.insert(output);
        }
      }
    }
  }

  void check_use(const std::string& input, const Node& node, const NameScope& scope) {
    if (input.empty() || scope.has(input)) return;
    const auto later = scope.later.find(input);
    if (later == scope.later.end()) {
      reporter_.add(Code::kUndefinedInput, fmt::format("input '{}' is defined by nothing{}", input, hint(input, scope)));
    } else if (later->second == &node) {
      reporter_.add(Code::kNodeOrder, fmt::format("input '{}' is the node's own output: a cycle", input));
    } else {
      reporter_.add(Code::kNodeOrder, fmt::format("input '{}' is made only later, by {}", input, describe(*later->second)),
                    "sort the nodes so that each stands after those it uses; a cycle must be broken");
    }
  }

  // Names close to an undefined one; only for the first few, since each looks at every name.
  std::string hint(std::string_view name, const NameScope& scope) {
    if (++hints_ > kMaxHints) return "";
    std::vector<std::string_view> names(scope.names.begin(), scope.names.end());
    std::sort(names.begin(), names.end());
    return core::closest_hint(name, names);
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
      check(graph, &scope, true);
    }
    --depth_;
  }

  Reporter& reporter_;
  const NodeContext& context_;
  int depth_ = 0;
  int hints_ = 0;
};
}  // namespace

void check_main_graph(Reporter& reporter, const Graph& graph, const NodeContext& context) {
  const Reporter::Scope where(reporter, fmt::format("graph '{}'", graph.name));
  GraphChecker(reporter, context).check(graph, nullptr, false);
}

void check_function(Reporter& reporter, const model::Function& function, const model::Model& model) {
  const Reporter::Scope where(reporter, fmt::format("function '{}.{}'", function.domain, function.name));
  if (function.name.empty() || function.domain.empty()) reporter.add(Code::kFunctionName, "a function needs a name and a domain");
  const NodeContext context{model, function.opset_import, true};
  GraphChecker(reporter, context).check_body(function);
}

}  // namespace sardonyx::check
