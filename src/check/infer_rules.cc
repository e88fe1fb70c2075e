#include "check/infer_rules.h"

#include <fmt/format.h>

#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "check/names.h"
#include "infer/inference.h"
#include "sardonyx/error.h"

namespace sardonyx::check {

namespace {
using model::Graph;
using model::Node;
using Origin = NameScope::Origin;

constexpr std::string_view kSeparator = " / ";
constexpr int kMaxDepth = 64;  // inference goes no deeper

// Finds the nodes that places name, and the chain that leads to each.
class ChainFinder {
 public:
  ChainFinder(const ModelContext& context, const std::vector<InferProblem>& problems) : context_(context) {
    for (const InferProblem& problem : problems) {
      for (size_t at = problem.where.find(kSeparator); at != std::string::npos; at = problem.where.find(kSeparator, at + 1)) {
        wanted_.insert(problem.where.substr(0, at));
      }
      wanted_.insert(problem.where);
    }
    NameScope names;
    walk(context.model.graph, fmt::format("graph '{}'", context.model.graph.name), names, 0);
  }

  std::vector<std::string> chain(const std::string& where) const {
    const auto found = chains_.find(where);
    return found == chains_.end() ? std::vector<std::string>() : found->second;
  }

 private:
  void walk(const Graph& graph, const std::string& path, NameScope& names, int depth) {
    for (const model::ValueInfo& input : graph.input) names.define(input.name, {Origin::kInput, nullptr});
    for (const model::TensorData& tensor : graph.initializer) names.define(tensor.name, {Origin::kInitializer, nullptr});
    walk(graph.node, path, names, depth);
  }

  void walk(const std::vector<Node>& nodes, const std::string& path, NameScope& names, int depth) {
    if (depth > kMaxDepth) return;
    names.expect(nodes);
    for (const Node& node : nodes) {
      const std::string here = fmt::format("{}{}{}", path, kSeparator, model::describe(node));
      if (!wanted_.contains(here)) continue;
      chains_.emplace(here, chain_of(node, names));
      walk_into(node, here, names, depth + 1);
    }
  }

  void walk_into(const Node& node, const std::string& here, const NameScope& names, int depth) {
    for (const model::Attribute& attribute : node.attribute) {
      if (attribute.g == nullptr) continue;
      NameScope inner(&names);
      walk(*attribute.g, fmt::format("{}{}{}", here, kSeparator, attribute.name), inner, depth);
    }
    const auto callee = context_.functions.find(callee_of(node));
    if (callee == context_.functions.end()) return;
    const model::Function& function = *callee->second;
    NameScope inner;
    for (const std::string& input : function.input) inner.define(input, {Origin::kInput, nullptr});
    walk(function.node, fmt::format("{}{}function '{}.{}'", here, kSeparator, function.domain, function.name), inner, depth);
  }

  static std::vector<std::string> chain_of(const Node& node, const NameScope& names) {
    for (const std::string& output : node.output) {
      if (!output.empty()) return names.chain(output);
    }
    return {};
  }

  const ModelContext& context_;
  std::unordered_set<std::string> wanted_;
  std::unordered_map<std::string, std::vector<std::string>> chains_;
};

Code code_of(InferProblem::Kind kind) {
  switch (kind) {
    case InferProblem::Kind::kInput:
    case InferProblem::Kind::kType:
      return Code::kTypeMismatch;
    case InferProblem::Kind::kShape:
      return Code::kShapeMismatch;
    case InferProblem::Kind::kInitializer:
      return Code::kInitializerMismatch;
    case InferProblem::Kind::kOperator:
      break;
  }
  return Code::kInference;
}

Finding finding_of(const InferProblem& problem) {
  Finding finding{.code = code_of(problem.kind), .message = problem.message, .expected = problem.declared, .found = problem.inferred};
  if (problem.is_of_given_output) finding.severity = Severity::kWarning;  // it runs, and gives what it is given
  if (problem.kind == InferProblem::Kind::kInput) {
    finding.cure = "add a Cast node, or mend what makes the value";
  } else if (problem.kind != InferProblem::Kind::kOperator) {
    finding.cure = "mend the declaration, or what makes the value";
  }
  return finding;
}

// References outside functions count as empty values: what runtimes and ONNX's checker make of them.
void empty_references(std::vector<Node>& nodes) {
  const auto own = [](std::shared_ptr<Graph>& graph) {
    graph = std::make_shared<Graph>(*graph);
    empty_references(graph->node);
  };
  for (Node& node : nodes) {
    for (model::Attribute& attribute : node.attribute) {
      attribute.ref_attr_name.clear();
      if (attribute.g != nullptr) own(attribute.g);
      for (std::shared_ptr<Graph>& graph : attribute.graphs) own(graph);
    }
  }
}
}  // namespace

void check_inference(Reporter& reporter, const ModelContext& context, const CustomOps* custom_ops) {
  std::vector<InferProblem> problems;
  std::optional<model::Model> without_references;
  if (reporter.has(Code::kAttributeReference)) empty_references(without_references.emplace(context.model).graph.node);
  infer::Inference inference(without_references ? *without_references : context.model, {.schema_types = true, .custom_ops = custom_ops});
  try {
    inference.run();
    problems = inference.take_report().problems;
  } catch (const Error& error) {
    reporter.add(Code::kInference, error.what());
    return;
  }
  if (problems.empty()) return;
  const ChainFinder chains(context, problems);
  for (const InferProblem& problem : problems) {
    const std::string where = problem.where.empty() ? "model" : printable(problem.where);
    if (!reporter.has_error_at(where)) reporter.add_at(where, finding_of(problem), chains.chain(problem.where));
  }
}

}  // namespace sardonyx::check
