#include "check/function_rules.h"

#include <fmt/format.h>

#include <unordered_set>

#include "check/graph_rules.h"
#include "check/version_rules.h"

namespace sardonyx::check {

namespace {
using model::Function;

constexpr int kMaxDepth = 256;  // deeper subgraphs are reported elsewhere
constexpr int64_t kFirstIrWithFunctions = 8;
constexpr int kFieldOfDomain = 10;

std::string title(const Function& function) {
  const std::string overload = function.overload.empty() ? "" : ":" + function.overload;
  return quote(fmt::format("{}.{}{}", function.domain, function.name, overload));
}

// What a function's nodes call, and all calls of a model.
class Calls {
 public:
  explicit Calls(const Functions& functions) : functions_(functions) {}

  std::vector<const Function*> of(const std::vector<model::Node>& nodes) const {
    std::vector<const Function*> callees;
    collect(nodes, callees, 0);
    return callees;
  }

 private:
  void collect(const std::vector<model::Node>& nodes, std::vector<const Function*>& callees, int depth) const {
    if (depth > kMaxDepth) return;
    for (const model::Node& node : nodes) {
      const auto callee = functions_.find(callee_of(node));
      if (callee != functions_.end()) callees.push_back(callee->second);
      for (const model::Attribute& attribute : node.attribute) {
        if (attribute.g != nullptr) collect(attribute.g->node, callees, depth + 1);
        for (const auto& graph : attribute.graphs) collect(graph->node, callees, depth + 1);
      }
    }
  }

  const Functions& functions_;
};

// Finds functions that reach themselves through calls; iterative, since chains may be long.
class RecursionFinder {
 public:
  RecursionFinder(Reporter& reporter, const ModelContext& context) : reporter_(reporter), calls_(context.functions) {
    for (const Function& function : context.model.functions) {
      if (state_[&function] == State::kNew) walk(&function);
    }
    for (const Function* called : calls_.of(context.model.graph.node)) called_.insert(called);
    for (const Function& function : context.model.functions) {
      if (called_.contains(&function)) continue;
      reporter_.add(Code::kFunctionUnused, fmt::format("nothing calls function {}", title(function)), "remove it");
    }
  }

 private:
  enum class State { kNew, kOpen, kDone };
  struct Frame {
    const Function* function;
    std::vector<const Function*> callees;
  };

  void open(std::vector<Frame>& stack, const Function* function) {
    state_[function] = State::kOpen;
    stack.push_back({function, calls_.of(function->node)});
    called_.insert(stack.back().callees.begin(), stack.back().callees.end());
  }

  void walk(const Function* start) {
    std::vector<Frame> stack;
    open(stack, start);
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.callees.empty()) {
        state_[top.function] = State::kDone;
        stack.pop_back();
        continue;
      }
      const Function* callee = top.callees.back();
      top.callees.pop_back();
      if (state_[callee] == State::kOpen) {
        report(stack, callee);
      } else if (state_[callee] == State::kNew) {
        open(stack, callee);
      }
    }
  }

  void report(const std::vector<Frame>& stack, const Function* callee) {
    constexpr size_t kShown = 8;
    std::string circle = title(*callee);
    size_t begin = 0;
    while (stack[begin].function != callee) ++begin;
    for (size_t i = begin + 1; i < stack.size() && i < begin + kShown; ++i) circle += " -> " + title(*stack[i].function);
    if (stack.size() > begin + kShown) circle += " -> ...";
    reporter_.add(Code::kFunctionRecursive, fmt::format("function {} calls itself: {} -> {}", title(*callee), circle, title(*callee)),
                  "break the circle: functions cannot recur");
  }

  Reporter& reporter_;
  Calls calls_;
  std::unordered_map<const Function*, State> state_;
  std::unordered_set<const Function*> called_;
};

void check_attribute_names(Reporter& reporter, const Function& function, std::unordered_set<std::string_view>& names) {
  const auto add = [&](const std::string& name) {
    if (!names.insert(name).second) {
      reporter.add(Code::kFunctionParameter, fmt::format("the function has the attribute {} twice", quote(name)), "declare it once");
    }
  };
  for (const std::string& name : function.attribute) add(name);
  for (const model::Attribute& attribute : function.attribute_proto) add(attribute.name);
}

void check_function(Reporter& reporter, const Function& function, const ModelContext& context) {
  const Reporter::Scope where(reporter, "function " + title(function));
  const bool has_domain = !function.domain.empty() || function.presence.has(kFieldOfDomain);
  if (function.name.empty() || !has_domain) reporter.add(Code::kFunctionName, "a function needs a name and a domain", "set both");
  check_opsets(reporter, function.opset_import);
  check_metadata(reporter, function.metadata_props);
  const Imports imports(function.opset_import);
  NodeContext inner{context, imports, &function, {}};
  check_attribute_names(reporter, function, inner.function_attributes);
  check_body(reporter, function, inner);
}
}  // namespace

void check_functions(Reporter& reporter, const ModelContext& context) {
  const std::vector<Function>& functions = context.model.functions;
  if (functions.empty()) return;
  if (context.model.ir_version > 0 && context.model.ir_version < kFirstIrWithFunctions) {
    reporter.add(Code::kFunctionUnexpected, fmt::format("ir_version {} has no functions, the file has", context.model.ir_version),
                 "set ir_version to 8 or later");
  }
  for (const Function& function : functions) {
    if (context.functions.at(key_of(function)) != &function) {
      reporter.add(Code::kFunctionDuplicate, fmt::format("function {} is defined twice", title(function)), "remove one, or set overload");
    }
    check_function(reporter, function, context);
  }
  RecursionFinder(reporter, context);
}

}  // namespace sardonyx::check
