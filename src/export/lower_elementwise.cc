// Activations and arithmetic.
#include "export/lowering.h"

namespace sardonyx::exporter {

using model::Attribute;
using nn::TraceOp;
using nn::ValueId;

namespace {
void unary(GraphBuilder& graph, const TraceOp& op, std::string_view op_type, Attributes attributes = {}) {
  graph.set_name(op.outputs[0], graph.node(op_type, {graph.name(op.inputs[0])}, std::move(attributes)));
}

void binary(GraphBuilder& graph, const TraceOp& op, std::string_view op_type) {
  graph.set_name(op.outputs[0], graph.node(op_type, {graph.name(op.inputs[0]), graph.name(op.inputs[1])}));
}

// a + alpha b, a - alpha b
void scaled(GraphBuilder& graph, const TraceOp& op, std::string_view op_type) {
  const double alpha = op.get<double>("alpha");
  std::string b = graph.name(op.inputs[1]);
  if (alpha != 1) b = graph.node("Mul", {b, graph.scalar(alpha, op.inputs[1], "alpha")});
  graph.set_name(op.outputs[0], graph.node(op_type, {graph.name(op.inputs[0]), b}));
}
}  // namespace

void lower_add(GraphBuilder& graph, const TraceOp& op) { scaled(graph, op, "Add"); }
void lower_sub(GraphBuilder& graph, const TraceOp& op) { scaled(graph, op, "Sub"); }
void lower_mul(GraphBuilder& graph, const TraceOp& op) { binary(graph, op, "Mul"); }
void lower_div(GraphBuilder& graph, const TraceOp& op) { binary(graph, op, "Div"); }
void lower_matmul(GraphBuilder& graph, const TraceOp& op) { binary(graph, op, "MatMul"); }
void lower_relu(GraphBuilder& graph, const TraceOp& op) { unary(graph, op, "Relu"); }
void lower_sigmoid(GraphBuilder& graph, const TraceOp& op) { unary(graph, op, "Sigmoid"); }
void lower_tanh(GraphBuilder& graph, const TraceOp& op) { unary(graph, op, "Tanh"); }

void lower_leaky_relu(GraphBuilder& graph, const TraceOp& op) {
  unary(graph, op, "LeakyRelu", {Attribute::of("alpha", static_cast<float>(op.get<double>("negative_slope")))});
}

// Reached in training mode only: evaluation leaves no trace.
void lower_dropout(GraphBuilder& graph, const TraceOp&) { graph.refuse("it is random; call it with training = false"); }

// Clip's bounds are attributes before opset 11, inputs from it on.
void lower_clamp(GraphBuilder& graph, const TraceOp& op) {
  const ValueId x = op.inputs[0];
  const nn::TraceAttribute* low = op.find("min");
  const nn::TraceAttribute* high = op.find("max");
  if (graph.opset() < 11) {
    Attributes bounds;
    if (low != nullptr) bounds.push_back(Attribute::of("min", static_cast<float>(std::get<double>(*low))));
    if (high != nullptr) bounds.push_back(Attribute::of("max", static_cast<float>(std::get<double>(*high))));
    return unary(graph, op, "Clip", std::move(bounds));
  }
  const std::string minimum = low != nullptr ? graph.scalar(std::get<double>(*low), x, "min") : "";
  const std::string maximum = high != nullptr ? graph.scalar(std::get<double>(*high), x, "max") : "";
  graph.set_name(op.outputs[0], graph.node("Clip", {graph.name(x), minimum, maximum}));
}

// Before opset 13 Softmax works on all axes from `axis` on as one: right as it stands on the last axis only. A scalar has no axis.
void lower_softmax(GraphBuilder& graph, const TraceOp& op) {
  const ValueId x = op.inputs[0];
  if (graph.rank(x) == 0) {
    const std::string row = graph.reshape(graph.name(x), {int64_t{1}});
    return graph.set_name(op.outputs[0], graph.reshape(graph.node("Softmax", {row}, {Attribute::of("axis", 0)}), {}));
  }
  const int64_t last = graph.rank(x) - 1;
  const int64_t axis = graph.axis(x, op.get<int64_t>("dim"));
  if (graph.opset() >= 13 || axis == last) return unary(graph, op, "Softmax", {Attribute::of("axis", axis)});
  std::vector<int64_t> swap(static_cast<size_t>(last) + 1);
  for (size_t i = 0; i < swap.size(); ++i) swap[i] = static_cast<int64_t>(i);
  std::swap(swap[static_cast<size_t>(axis)], swap.back());
  const std::string moved = graph.transpose(graph.name(x), swap);
  graph.set_name(op.outputs[0], graph.transpose(graph.node("Softmax", {moved}, {Attribute::of("axis", last)}), swap));
}

}  // namespace sardonyx::exporter
