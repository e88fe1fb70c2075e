#include "export/folding.h"

#include <algorithm>
#include <cmath>
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

void fold_constants(model::Graph& graph, int64_t opset) {
  constexpr size_t kMayGrow = 1024;
  std::unordered_map<std::string, Tensor> constants;
  for (const model::TensorData& tensor : graph.initializer) constants.emplace(tensor.name, model::decode(tensor));
  std::unordered_set<std::string_view> outputs;
  for (const model::ValueInfo& output : graph.output) outputs.insert(output.name);
  const auto is_constant = [&](const std::string& name) { return constants.contains(name); };
  std::vector<model::Node> kept;
  for (model::Node& node : graph.node) {
    const bool foldable = !node.input.empty() && std::all_of(node.input.begin(), node.input.end(), is_constant) &&
                          node.output.size() == 1 && !outputs.contains(node.output[0]) &&
                          ops::find_operator(node.domain, node.op_type) != nullptr;
    if (foldable) {
      std::vector<Tensor> inputs;
      size_t bytes = kMayGrow;
      for (const std::string& name : node.input) {
        inputs.push_back(constants.at(name));
        bytes += inputs.back().byte_size();
      }
      const std::vector<Tensor> results = ops::evaluate(node, opset, inputs);
      if (results[0].byte_size() <= bytes) {
        graph.initializer.push_back(model::encode(results[0], node.output[0]));
        constants.emplace(node.output[0], results[0]);
        continue;
      }
    }
    kept.push_back(std::move(node));
  }
  graph.node = std::move(kept);
  drop_unused_initializers(graph);
}

}  // namespace sardonyx::exporter
