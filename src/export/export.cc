#include "sardonyx/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "export/dynamic_sizes.h"
#include "export/folding.h"
#include "export/graph_builder.h"
#include "export/lowering.h"
#include "nn/trace.h"
#include "sardonyx/check.h"
#include "sardonyx/version.h"

namespace sardonyx {

namespace exporter {
namespace {

// Sets a module to evaluation mode while it lives, then gives each submodule its own mode back.
class EvaluationMode {
 public:
  explicit EvaluationMode(nn::Module& module) : module_(module), training_(module.is_training()) {
    for (const auto& [name, child] : module.named_modules(false)) children_.emplace_back(child, child->is_training());
    module.eval();
  }
  ~EvaluationMode() {
    module_.train(training_);
    for (const auto& [child, training] : children_) child->train(training);  // parents before their children
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

  bool was_training() const {
    return training_ || std::any_of(children_.begin(), children_.end(), [](const auto& child) { return child.second; });
  }

 private:
  nn::Module& module_;
  bool training_;
  std::vector<std::pair<std::shared_ptr<nn::Module>, bool>> children_;
};

void warn(const ExportOptions& options, std::string_view message) {
  if (options.warn) {
    options.warn(message);
  } else {
    std::fputs(fmt::format("sardonyx: export: {}\n", message).c_str(), stderr);
  }
}

void check_options(const ExportOptions& options) {
  if (options.opset_version < kMinExportOpset || options.opset_version > kMaxExportOpset) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("opset {} cannot be exported; {} to {} can", options.opset_version, kMinExportOpset, kMaxExportOpset));
  }
}

void check_names(const ExportOptions& options, const nn::Trace& trace) {
  const auto too_many = [](std::string_view what, size_t given, size_t there) {
    if (given > there)
      throw Error(ErrorCode::kInvalidArgument, fmt::format("{}_names has {} entries, the module has {}", what, given, there));
  };
  too_many("input", options.input_names.size(), trace.inputs.size());
  too_many("output", options.output_names.size(), trace.outputs.size());
  std::set<std::string_view> seen;
  for (const nn::TraceValue& value : trace.values) {
    if (!value.name.empty()) seen.insert(value.name);
  }
  for (const std::vector<std::string>* names : {&options.input_names, &options.output_names}) {
    for (const std::string& name : *names) {
      if (name.empty() || !seen.insert(name).second) {
        throw Error(ErrorCode::kInvalidArgument,
                    fmt::format("'{}' cannot name an input or output: it is empty, given twice, or the name of a parameter", name));
      }
    }
  }
}

// The IR version that came out with an opset, so that runtimes of that time read the file; at least 4, from which on initializers need
// not be inputs.
int64_t ir_version_for(int64_t opset) {
  constexpr std::pair<int64_t, int64_t> kFirstOpsetWith[] = {{25, 13}, {24, 12}, {23, 11}, {21, 10}, {19, 9},
                                                             {15, 8},  {12, 7},  {11, 6},  {10, 5}};
  for (const auto& [first, ir_version] : kFirstOpsetWith) {
    if (opset >= first) return ir_version;
  }
  return 4;
}

// A convolution with folded weights, which keep their names; one without a bias gets one.
void take_norm_in(GraphBuilder& graph, const nn::Trace& trace, nn::TraceOp& conv, const FoldedNorm& folded) {
  std::string weight = graph.value(conv.inputs[1]).name;
  if (weight.empty()) weight = conv.scope + "/weight";
  std::string bias = weight;
  if (conv.inputs[2] == nn::kNoValue) {
    conv.inputs[2] = trace.ops[folded.norm].inputs[3];
    bias = bias.ends_with("weight") ? bias.substr(0, bias.size() - 6) + "bias" : bias + "_bias";
  } else if (const std::string& name = graph.value(conv.inputs[2]).name; !name.empty()) {
    bias = name;
  }
  graph.replace(conv.inputs[1], weight, folded.weight);
  graph.replace(conv.inputs[2], bias, folded.bias);
}

// Lowers all operators; a normalisation that is folded leaves only its name behind.
model::Graph lower(const nn::Trace& trace, const DynamicSizes& sizes, const ExportOptions& options) {
  GraphBuilder graph(trace, sizes.values, options);
  std::vector<FoldedNorm> folded;
  if (options.do_constant_folding && options.export_params) folded = find_foldable_norms(trace);
  for (size_t i = 0; i < trace.ops.size(); ++i) {
    nn::TraceOp op = trace.ops[i];
    const auto norm = std::find_if(folded.begin(), folded.end(), [&](const FoldedNorm& f) { return f.norm == i; });
    if (norm != folded.end()) {
      graph.set_name(op.outputs[0], graph.name(op.inputs[0]));
      continue;
    }
    graph.enter(op);
    const auto conv = std::find_if(folded.begin(), folded.end(), [&](const FoldedNorm& f) { return f.conv == i; });
    if (conv != folded.end()) {
      take_norm_in(graph, trace, op, *conv);
    }
    find_lowering(op)(graph, op);
  }
  return graph.finish(sizes.inputs, sizes.outputs);
}
}  // namespace
}  // namespace exporter

model::Model export_model(nn::Module& module, const std::vector<Tensor>& args, const ExportOptions& options) {
  exporter::check_options(options);
  const exporter::EvaluationMode evaluation(module);
  if (evaluation.was_training()) {
    exporter::warn(options,
                   "the module is in training mode; it is exported in evaluation mode. Call eval() first to say that this is meant");
  }
  const nn::Trace trace = nn::trace(module, args);
  exporter::check_names(options, trace);
  const exporter::DynamicSizes sizes = exporter::find_dynamic_sizes(module, args, trace, options);
  model::Model model;
  model.ir_version = exporter::ir_version_for(options.opset_version);
  model.producer_name = "sardonyx";
  model.producer_version = kVersion;
  model.opset_import.emplace_back().version = options.opset_version;
  model.has_graph = true;
  model.graph = exporter::lower(trace, sizes, options);
  if (options.do_constant_folding && options.export_params) {
    exporter::fold_constants(model.graph, options.opset_version);
  } else {
    exporter::drop_unused_initializers(model.graph);
  }
  return model;
}

void export_onnx(nn::Module& module, const std::vector<Tensor>& args, const std::filesystem::path& path, const ExportOptions& options) {
  const model::Model model = export_model(module, args, options);
  if (const CheckReport report = check_model(model); !report.valid()) {
    throw Error(ErrorCode::kInternal, "the exported model does not pass its own check:\n" + to_string(report));
  }
  model::write_model(model, path);
}

}  // namespace sardonyx
