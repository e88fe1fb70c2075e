#include "sardonyx/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "export/boundary.h"
#include "export/dynamic_sizes.h"
#include "export/folding.h"
#include "export/graph_builder.h"
#include "export/lowering.h"
#include "nn/module_walk.h"
#include "nn/trace.h"
#include "sardonyx/check.h"
#include "sardonyx/version.h"
#include "schema/schema.h"

namespace sardonyx {

namespace exporter {
namespace {

// Sets a module and all below to evaluation mode while it lives, then gives each its own mode back.
class EvaluationMode {
 public:
  explicit EvaluationMode(nn::Module& module) {
    nn::ModuleWalk::once(module, [&](const std::string&, nn::Module& each) { modes_.emplace_back(&each, each.is_training()); });
    module.eval();
  }
  ~EvaluationMode() {
    for (const auto& [module, training] : modes_) nn::ModuleWalk::set_training(*module, training);
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

  bool was_training() const {
    return std::any_of(modes_.begin(), modes_.end(), [](const auto& entry) { return entry.second; });
  }

 private:
  std::vector<std::pair<nn::Module*, bool>> modes_;
};

void warn(const ExportOptions& options, std::string_view message) {
  if (options.warn) {
    options.warn(message);
  } else {
    std::fputs(fmt::format("sardonyx: export: {}\n", message).c_str(), stderr);
  }
}

void check_opset(const ExportOptions& options) {
  if (options.opset_version < kMinExportOpset || options.opset_version > kMaxExportOpset) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("opset {} cannot be exported; {} to {} can", options.opset_version, kMinExportOpset, kMaxExportOpset));
  }
}

// The IR version that came out with an opset, so that runtimes of that time read the file; at least 4, from which on initializers need
// not be inputs.
int64_t ir_version_for(int64_t opset) { return std::max<int64_t>(4, schema::ir_version_of("", opset)); }

// "conv1.bias" for "conv1.weight".
std::string bias_name(std::string weight, const std::string& scope) {
  constexpr std::string_view kWeight = "weight";
  if (weight.empty()) return scope + "/bias";
  if (!weight.ends_with(kWeight)) return weight + ".bias";
  return weight.replace(weight.size() - kWeight.size(), kWeight.size(), "bias");
}

// A convolution with folded weights, which keep their names; one without a bias gets one, in the place of the mean that it absorbs.
void take_norm_in(GraphBuilder& graph, const nn::Trace& trace, nn::TraceOp& conv, const FoldedNorm& folded) {
  graph.replace(conv.inputs[1], folded.weight);
  if (conv.inputs[2] != nn::kNoValue) return graph.replace(conv.inputs[2], folded.bias);
  conv.inputs[2] = trace.ops[folded.norm].inputs[3];
  graph.replace(conv.inputs[2], folded.bias, bias_name(graph.value(conv.inputs[1]).name, conv.scope));
}

void lower_operator(GraphBuilder& graph, const nn::TraceOp& op) {
  const Lower lower = find_lowering(op.kind);
  if (lower == nullptr) graph.refuse("no form of it in ONNX operators is known here");
  lower(graph, op);
}

// Lowers all operators; a normalisation that is folded leaves only its name behind.
model::Graph lower_trace(const nn::Trace& trace, const DynamicSizes& sizes, const ExportOptions& options, bool fold_norms) {
  GraphBuilder graph(trace, sizes, options);
  std::unordered_map<size_t, FoldedNorm> by_conv;
  std::unordered_set<size_t> norms;
  if (fold_norms) {
    for (FoldedNorm& folded : find_foldable_norms(trace)) {
      norms.insert(folded.norm);
      by_conv.emplace(folded.conv, std::move(folded));
    }
  }
  for (size_t i = 0; i < trace.ops.size(); ++i) {
    nn::TraceOp op = trace.ops[i];
    graph.enter(op);
    if (norms.contains(i)) {
      graph.set_name(op.outputs[0], graph.name(op.inputs[0]));
      continue;
    }
    if (const auto folded = by_conv.find(i); folded != by_conv.end()) take_norm_in(graph, trace, op, folded->second);
    lower_operator(graph, op);
  }
  return graph.finish();
}

// The model, whose initializers are views on the module's tensors.
model::Model build_model(nn::Module& module, const std::vector<Tensor>& args, const ExportOptions& options) {
  check_opset(options);
  const EvaluationMode evaluation(module);
  if (evaluation.was_training()) {
    warn(options, "the module is in training mode; it is exported in evaluation mode. Call eval() first to say that this is meant");
  }
  const nn::Trace trace = nn::trace(module, args);
  const DynamicSizes sizes = find_dynamic_sizes(module, args, trace, find_boundary(trace, options));
  for (const std::string& warning : sizes.warnings) warn(options, warning);
  // Weights that a feed may replace are not constant.
  const bool weights_are_constant = options.export_params && !options.keep_initializers_as_inputs;
  model::Model model;
  model.ir_version = ir_version_for(options.opset_version);
  model.producer_name = "sardonyx";
  model.producer_version = kVersion;
  model.opset_import.emplace_back().version = options.opset_version;
  model.has_graph = true;
  model.graph = lower_trace(trace, sizes, options, options.do_constant_folding && weights_are_constant);
  if (options.do_constant_folding) fold_constants(model.graph, options.opset_version);
  return model;
}
}  // namespace
}  // namespace exporter

model::Model export_model(nn::Module& module, const std::vector<Tensor>& args, const ExportOptions& options) {
  model::Model model = exporter::build_model(module, args, options);
  for (model::TensorData& tensor : model.graph.initializer) tensor.raw_data = model::Bytes::copy_of(tensor.raw_data.text());
  return model;
}

void export_onnx(nn::Module& module, const std::vector<Tensor>& args, const std::filesystem::path& path, const ExportOptions& options) {
  const model::Model model = exporter::build_model(module, args, options);
  if (const CheckReport report = check_model(model); !report.runnable()) {
    throw Error(ErrorCode::kInternal, "the exported model does not pass its own check:\n" + to_string(report));
  }
  model::write_model(model, path);
}

}  // namespace sardonyx
