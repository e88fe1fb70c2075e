#include "sardonyx/check.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_set>

#include "check/graph_rules.h"
#include "check/report.h"
#include "schema/schema.h"

namespace sardonyx {

namespace check {
namespace {
using model::Model;

constexpr int64_t kFirstIrWithOpsets = 3;

void check_ir_version(Reporter& reporter, const Model& model) {
  if (model.ir_version <= 0) {
    reporter.add(Code::kIrVersion, fmt::format("ir_version is {}", model.ir_version), "set it to the version the file was written for");
  } else if (model.ir_version > schema::kLatestIrVersion) {
    reporter.add(Code::kIrVersion,
                 fmt::format("ir_version {} is newer than {}, the latest known here", model.ir_version, schema::kLatestIrVersion));
  }
}

void check_opsets(Reporter& reporter, std::span<const model::OpsetId> imports) {
  std::set<std::string_view> seen;
  for (const model::OpsetId& import : imports) {
    const std::string_view domain = import.domain == "ai.onnx" ? std::string_view() : import.domain;
    const std::string_view shown = domain.empty() ? "ai.onnx" : domain;
    if (!seen.insert(domain).second) reporter.add(Code::kOpsetDuplicate, fmt::format("opset_import names '{}' twice", shown));
    const int64_t latest = schema::latest_version(domain);
    if (import.version <= 0 || (latest > 0 && import.version > latest)) {
      reporter.add(Code::kOpsetVersion, fmt::format("version {} of '{}' is not known; the latest is {}", import.version, shown, latest),
                   latest > 0 ? fmt::format("export or convert the model to {} {} or earlier", shown, latest) : "");
    }
  }
}

void check_opset_presence(Reporter& reporter, const Model& model) {
  if (model.ir_version >= kFirstIrWithOpsets && model.opset_import.empty()) {
    reporter.add(Code::kOpsetMissing, fmt::format("ir_version {} needs opset_import, it is empty", model.ir_version),
                 "add the domain 'ai.onnx' with the opset version the operators are meant in");
  }
  if (model.ir_version > 0 && model.ir_version < kFirstIrWithOpsets && !model.opset_import.empty()) {
    reporter.add(Code::kOpsetUnexpected, fmt::format("ir_version {} has no opset_import, the file has one", model.ir_version),
                 "set ir_version to 3 or later");
  }
}

void check_metadata(Reporter& reporter, const model::StringPairs& pairs) {
  std::unordered_set<std::string_view> seen;
  for (const model::StringPair& pair : pairs) {
    if (!seen.insert(pair.key).second) reporter.add(Code::kMetadataDuplicate, fmt::format("metadata_props has '{}' twice", pair.key));
  }
}

using FunctionKey = std::tuple<std::string_view, std::string_view, std::string_view>;

// Finds functions that reach themselves through calls; iterative, since chains may be long.
class RecursionFinder {
 public:
  RecursionFinder(Reporter& reporter, const Model& model) : reporter_(reporter) {
    for (const model::Function& function : model.functions) {
      functions_.emplace(FunctionKey(function.domain, function.name, function.overload), &function);
    }
  }

  void find() {
    for (const auto& [key, function] : functions_) {
      if (state_[function] == State::kNew) walk(function);
    }
  }

 private:
  enum class State { kNew, kOpen, kDone };
  struct Frame {
    const model::Function* function;
    std::vector<const model::Function*> callees;
  };

  void collect(const std::vector<model::Node>& nodes, std::vector<const model::Function*>& callees, int depth) const {
    if (depth > 256) return;  // reported as too deep elsewhere
    for (const model::Node& node : nodes) {
      const auto callee = functions_.find(FunctionKey(node.domain, node.op_type, node.overload));
      if (callee != functions_.end()) callees.push_back(callee->second);
      for (const model::Attribute& attribute : node.attribute) {
        if (attribute.g != nullptr) collect(attribute.g->node, callees, depth + 1);
        for (const auto& graph : attribute.graphs) collect(graph->node, callees, depth + 1);
      }
    }
  }

  void open(std::vector<Frame>& stack, const model::Function* function) {
    state_[function] = State::kOpen;
    stack.push_back({function, {}});
    collect(function->node, stack.back().callees, 0);
  }

  void walk(const model::Function* start) {
    std::vector<Frame> stack;
    open(stack, start);
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.callees.empty()) {
        state_[top.function] = State::kDone;
        stack.pop_back();
        continue;
      }
      const model::Function* callee = top.callees.back();
      top.callees.pop_back();
      if (state_[callee] == State::kOpen) {
        reporter_.add(Code::kFunctionRecursive, fmt::format("function '{}.{}' calls '{}.{}', which leads back to it", top.function->domain,
                                                            top.function->name, callee->domain, callee->name));
      } else if (state_[callee] == State::kNew) {
        open(stack, callee);
      }
    }
  }

  Reporter& reporter_;
  std::map<FunctionKey, const model::Function*> functions_;
  std::map<const model::Function*, State> state_;
};

void check_functions(Reporter& reporter, const Model& model) {
  std::set<FunctionKey> seen;
  for (const model::Function& function : model.functions) {
    if (!seen.emplace(function.domain, function.name, function.overload).second) {
      reporter.add(Code::kFunctionDuplicate, fmt::format("function '{}.{}' is defined twice", function.domain, function.name));
    }
    check_opsets(reporter, function.opset_import);
    check_function(reporter, function, model);
  }
  RecursionFinder(reporter, model).find();
}
}  // namespace
}  // namespace check

CheckReport check_model(const model::Model& model, const CheckOptions& options) {
  check::Reporter reporter(options.max_problems);
  check::check_ir_version(reporter, model);
  check::check_opset_presence(reporter, model);
  check::check_opsets(reporter, model.opset_import);
  check::check_metadata(reporter, model.metadata_props);
  const check::NodeContext context{model, model.opset_import, false};
  if (!model.has_graph) {
    reporter.add(check::Code::kGraphMissing, "the model has no graph");
  } else {
    check::check_main_graph(reporter, model.graph, context);
  }
  for (const model::TrainingInfo& training : model.training_info) {
    if (training.has_initialization) check::check_main_graph(reporter, training.initialization, context);
  }
  check::check_functions(reporter, model);
  return reporter.take();
}

}  // namespace sardonyx
