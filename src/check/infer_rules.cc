#include "check/infer_rules.h"

#include <fmt/format.h>

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

// "... declared as tensor(float) [2, 3], inferred as tensor(float) [2, 4]": both, or nothing.
bool split_contradiction(std::string_view message, std::string& declared, std::string& inferred) {
  constexpr std::string_view kDeclared = "declared as ", kInferred = ", inferred as ";
  const size_t begin = message.find(kDeclared), middle = message.rfind(kInferred);
  if (begin == std::string_view::npos || middle == std::string_view::npos || middle < begin) return false;
  declared = message.substr(begin + kDeclared.size(), middle - begin - kDeclared.size());
  inferred = message.substr(middle + kInferred.size());
  return true;
}

// The type's name without its shape.
std::string_view type_part(std::string_view type) { return type.substr(0, type.find(" [")); }

Finding finding_of(const InferProblem& problem) {
  Finding finding{.code = Code::kInference, .message = problem.message};
  const std::string_view message = problem.message;
  if (split_contradiction(message, finding.expected, finding.found)) {
    finding.code = type_part(finding.expected) == type_part(finding.found) ? Code::kShapeMismatch : Code::kTypeMismatch;
    if (message.starts_with("initializer '")) finding.code = Code::kInitializerMismatch;
    finding.cure = "mend the declaration, or what makes the value";
  } else if (message.ends_with("does not take") || message.find("of the same type parameter") != std::string_view::npos) {
    finding.code = Code::kTypeMismatch;
    finding.cure = "add a Cast node, or mend what makes the value";
  }
  return finding;
}
}  // namespace

void check_inference(Reporter& reporter, const ModelContext& context, const CustomOps* custom_ops) {
  std::vector<InferProblem> problems;
  infer::Inference inference(context.model, {.custom_ops = custom_ops});
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
