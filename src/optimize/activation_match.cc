#include "optimize/activation_match.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "optimize/pass.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kClipBoundsAreInputs = 11;

// One bound of Clip: `absent` where the input is left out, nullopt where it is not a constant float.
std::optional<float> clip_bound(const GraphView& graph, const model::Node& clip, size_t input, float absent) {
  if (input >= clip.input.size() || clip.input[input].empty()) return absent;
  const Tensor* constant = graph.constant(clip.input[input]);
  if (!constant || constant->dtype() != DType::kFloat32 || constant->numel() != 1) return std::nullopt;
  return constant->item<float>();
}

std::optional<std::vector<float>> clip_bounds(const GraphView& graph, const model::Node& clip) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (graph.opset(clip.domain) < kClipBoundsAreInputs) {
    return std::vector{model::get_float(clip, "min", -kInfinity), model::get_float(clip, "max", kInfinity)};
  }
  const std::optional<float> low = clip_bound(graph, clip, 1, -kInfinity), high = clip_bound(graph, clip, 2, kInfinity);
  return low && high ? std::optional(std::vector{*low, *high}) : std::nullopt;
}

std::vector<float> hard_sigmoid_params(const model::Node& node) {
  return {model::get_float(node, "alpha", 0.2f), model::get_float(node, "beta", 0.5f)};
}

// x times a function of x that nobody else reads, with `value` as x.
std::optional<ActivationMatch> match_gate(const GraphView& graph, const std::string& value, size_t function, size_t product) {
  const model::Node &gate = *graph.node(function), &mul = *graph.node(product);
  if (mul.op_type != "Mul" || !is_onnx_domain(mul.domain) || !is_onnx_domain(gate.domain) || mul.input.size() != 2) return std::nullopt;
  if (gate.input.size() != 1 || graph.sole_consumer(first_output(gate)) != product) return std::nullopt;
  const bool fits =
      (mul.input[0] == value && mul.input[1] == first_output(gate)) || (mul.input[1] == value && mul.input[0] == first_output(gate));
  if (!fits) return std::nullopt;
  if (gate.op_type == "Sigmoid") return ActivationMatch{"Swish", {1.0f}, {function, product}, first_output(mul)};
  if (gate.op_type != "HardSigmoid") return std::nullopt;
  const std::vector<float> params = hard_sigmoid_params(gate);
  const bool is_swish = std::abs(params[0] - 1.0f / 6) < 1e-6f && params[1] == 0.5f;
  return is_swish ? std::optional(ActivationMatch{"HardSwish", {}, {function, product}, first_output(mul)}) : std::nullopt;
}

}  // namespace

std::optional<ActivationMatch> match_activation_of(const GraphView& graph, const model::Node& node) {
  const std::string& op = node.op_type;
  const auto match = [&](const char* name, std::vector<float> params = {}) {
    return ActivationMatch{name, std::move(params), {}, first_output(node)};
  };
  if (node.domain == "com.microsoft" && op == "QuickGelu") return match("Swish", {model::get_float(node, "alpha", 1.702f)});
  if (node.domain == kFusedDomain && op == "HardSwish") return match("HardSwish");
  if (!is_onnx_domain(node.domain)) return std::nullopt;
  if (op == "Relu" || op == "Sigmoid" || op == "Tanh" || op == "HardSwish") return match(op.c_str());
  if (op == "LeakyRelu") return match("LeakyRelu", {model::get_float(node, "alpha", 0.01f)});
  if (op == "HardSigmoid") return match("HardSigmoid", hard_sigmoid_params(node));
  if (op == "Swish") return match("Swish", {model::get_float(node, "alpha", 1.0f)});
  if (op != "Clip") return std::nullopt;
  std::optional<std::vector<float>> bounds = clip_bounds(graph, node);
  return bounds ? std::optional(match("Clip", std::move(*bounds))) : std::nullopt;
}

std::optional<ActivationMatch> match_activation(const GraphView& graph, const std::string& value) {
  if (graph.is_pinned(value)) return std::nullopt;
  const std::vector<size_t>& readers = graph.consumers(value);
  if (readers.size() == 2) {
    const auto gated = match_gate(graph, value, readers[0], readers[1]);
    return gated ? gated : match_gate(graph, value, readers[1], readers[0]);
  }
  if (readers.size() != 1) return std::nullopt;
  const model::Node& node = *graph.node(readers[0]);
  if (node.output.size() != 1 || node.input.empty() || node.input[0] != value) return std::nullopt;
  std::optional<ActivationMatch> match = match_activation_of(graph, node);
  if (match) match->nodes = {readers[0]};
  return match;
}

}  // namespace sardonyx::optimize
