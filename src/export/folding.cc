#include "export/folding.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "ops/op.h"

namespace sardonyx::exporter {

namespace {
using nn::kNoValue;
using nn::Trace;
using nn::TraceOp;
using nn::ValueId;

std::vector<int> count_uses(const Trace& trace) {
  std::vector<int> uses(trace.values.size(), 0);
  for (const TraceOp& op : trace.ops) {
    for (const ValueId id : op.inputs) {
      if (id != kNoValue) ++uses[static_cast<size_t>(id)];
    }
  }
  for (const ValueId id : trace.outputs) ++uses[static_cast<size_t>(id)];
  return uses;
}

const Tensor& tensor_of(const Trace& trace, ValueId id) { return trace.values[static_cast<size_t>(id)].tensor; }

bool is_sole_float_constant(const Trace& trace, const std::vector<int>& uses, ValueId id) {
  if (id == kNoValue) return true;
  const nn::TraceValue& value = trace.values[static_cast<size_t>(id)];
  return value.tensor.defined() && value.origin != nn::TraceValue::Origin::kInput && value.dtype == DType::kFloat32 &&
         uses[static_cast<size_t>(id)] == 1;
}

double element(const Trace& trace, ValueId id, size_t i, double fallback) {
  return id == kNoValue ? fallback : static_cast<double>(tensor_of(trace, id).values<float>()[i]);
}

// y = (w x + b - mean) scale / sqrt(var + eps) + shift, so each filter is scaled and the bias adapted; in double, rounded once.
FoldedNorm fold(const Trace& trace, size_t conv_index, size_t norm_index) {
  const TraceOp& conv = trace.ops[conv_index];
  const TraceOp& norm = trace.ops[norm_index];
  FoldedNorm folded{conv_index, norm_index, tensor_of(trace, conv.inputs[1]).clone(), {}};
  const auto channels = static_cast<size_t>(folded.weight.shape()[0]);
  folded.bias = Tensor({static_cast<int64_t>(channels)});
  const std::span<float> weight = folded.weight.mutable_values<float>(), bias = folded.bias.mutable_values<float>();
  const size_t filter = channels == 0 ? 0 : weight.size() / channels;
  for (size_t c = 0; c < channels; ++c) {
    const double deviation = std::sqrt(element(trace, norm.inputs[4], c, 1) + norm.get<double>("eps"));
    const double scale = element(trace, norm.inputs[1], c, 1) / deviation;
    for (float& w : weight.subspan(c * filter, filter)) w = static_cast<float>(static_cast<double>(w) * scale);
    const double centred = element(trace, conv.inputs[2], c, 0) - element(trace, norm.inputs[3], c, 0);
    bias[c] = static_cast<float>(centred * scale + element(trace, norm.inputs[2], c, 0));
  }
  return folded;
}

bool is_foldable(const Trace& trace, const std::vector<int>& uses, const TraceOp& conv, const TraceOp& norm) {
  if (conv.kind != "aten::conv2d" || norm.kind != "aten::batch_norm" || norm.get<bool>("training")) return false;
  if (uses[static_cast<size_t>(conv.outputs[0])] != 1) return false;
  if (conv.inputs[1] == kNoValue || norm.inputs[3] == kNoValue || norm.inputs[4] == kNoValue) return false;
  const auto sole = [&](ValueId id) { return is_sole_float_constant(trace, uses, id); };
  return sole(conv.inputs[1]) && sole(conv.inputs[2]) && std::all_of(norm.inputs.begin() + 1, norm.inputs.end(), sole);
}
}  // namespace

std::vector<FoldedNorm> find_foldable_norms(const Trace& trace) {
  const std::vector<int> uses = count_uses(trace);
  std::vector<FoldedNorm> found;
  for (size_t n = 0; n < trace.ops.size(); ++n) {
    const ValueId x = trace.ops[n].inputs.empty() ? kNoValue : trace.ops[n].inputs[0];
    if (x == kNoValue) continue;
    const nn::TraceValue& value = trace.values[static_cast<size_t>(x)];
    if (value.origin != nn::TraceValue::Origin::kOperator) continue;
    const auto c = static_cast<size_t>(value.index);
    if (is_foldable(trace, uses, trace.ops[c], trace.ops[n])) found.push_back(fold(trace, c, n));
  }
  return found;
}

void drop_unused_initializers(model::Graph& graph) {
  std::unordered_set<std::string_view> used;
  for (const model::Node& node : graph.node) used.insert(node.input.begin(), node.input.end());
  for (const model::ValueInfo& output : graph.output) used.insert(output.name);
  const auto is_unused = [&](const std::string& name) { return !used.contains(name); };
  std::unordered_set<std::string> dropped;
  for (const model::TensorData& tensor : graph.initializer) {
    if (is_unused(tensor.name)) dropped.insert(tensor.name);
  }
  std::erase_if(graph.initializer, [&](const model::TensorData& tensor) { return dropped.contains(tensor.name); });
  std::erase_if(graph.input, [&](const model::ValueInfo& input) { return dropped.contains(input.name); });
}

namespace {
class ConstantFolder {
 public:
  ConstantFolder(model::Graph& graph, int64_t opset) : graph_(graph), opset_(opset) {
    std::unordered_set<std::string_view> replaceable;
    for (const model::ValueInfo& input : graph.input) replaceable.insert(input.name);
    for (const model::TensorData& tensor : graph.initializer) {
      if (!replaceable.contains(tensor.name)) constants_.emplace(tensor.name, model::decode(tensor));
    }
    for (const model::ValueInfo& output : graph.output) outputs_.insert(output.name);
  }

  void run() {
    std::vector<model::Node> kept;
    for (model::Node& node : graph_.node) {
      for (std::string& input : node.input) {
        if (const auto same = renamed_.find(input); same != renamed_.end()) input = same->second;
      }
      if (!is_constant(node) || !fold(node)) kept.push_back(std::move(node));
    }
    graph_.node = std::move(kept);
  }

 private:
  bool is_constant(const model::Node& node) const {
    return !node.input.empty() && node.output.size() == 1 && !outputs_.contains(node.output[0]) &&
           std::all_of(node.input.begin(), node.input.end(), [&](const std::string& name) { return constants_.contains(name); });
  }

  bool fold(const model::Node& node) {
    for (const model::Node& done : folded_) {
      if (done.op_type == node.op_type && done.input == node.input && done.attribute == node.attribute) {
        renamed_.emplace(node.output[0], done.output[0]);
        return true;
      }
    }
    const std::optional<Tensor> result = compute(node);
    if (!result) return false;
    graph_.initializer.push_back(model::encode(*result, node.output[0]));
    constants_.emplace(node.output[0], *result);
    folded_.push_back(node);
    return true;
  }

  // Nothing if there is no kernel, or the result is much larger than the inputs.
  std::optional<Tensor> compute(const model::Node& node) const {
    constexpr size_t kMayGrow = 1024;
    std::vector<Tensor> inputs;
    size_t bytes = kMayGrow;
    for (const std::string& name : node.input) {
      inputs.push_back(constants_.at(name));
      bytes += inputs.back().byte_size();
    }
    try {
      const Tensor result = ops::evaluate(node, opset_, inputs).at(0);
      if (result.byte_size() <= bytes) return result;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUnsupported) throw;
    }
    return std::nullopt;
  }

  model::Graph& graph_;
  int64_t opset_;
  std::unordered_map<std::string, Tensor> constants_;
  std::unordered_set<std::string> outputs_;
  std::vector<model::Node> folded_;
  std::unordered_map<std::string, std::string> renamed_;  // output of a node equal to a folded one -> the folded one's
};
}  // namespace

void fold_constants(model::Graph& graph, int64_t opset) {
  ConstantFolder(graph, opset).run();
  drop_unused_initializers(graph);
}

}  // namespace sardonyx::exporter
