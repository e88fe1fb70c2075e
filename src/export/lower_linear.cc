// Convolution, linear maps and normalisation.
#include "export/lowering.h"

namespace sardonyx::exporter {

using model::Attribute;
using nn::kNoValue;
using nn::TraceOp;
using nn::ValueId;

void lower_conv2d(GraphBuilder& graph, const TraceOp& op) {
  using Ints = std::vector<int64_t>;
  const Shape& weight = graph.shape(op.inputs[1]);
  Ints pads = op.get<Ints>("padding");
  if (pads.size() == 2) pads = {pads[0], pads[1], pads[0], pads[1]};
  graph.set_name(op.outputs[0],
                 graph.node("Conv", {graph.name(op.inputs[0]), graph.name(op.inputs[1]), graph.name(op.inputs[2])},
                            {Attribute::of("dilations", op.get<Ints>("dilation")), Attribute::of("group", op.get<int64_t>("groups")),
                             Attribute::of("kernel_shape", Ints{weight[2], weight[3]}), Attribute::of("pads", pads),
                             Attribute::of("strides", op.get<Ints>("stride"))}));
}

// Rank 2 is Gemm, whose third input is required before opset 11; else MatMul with the transposed weight, and Add.
void lower_linear(GraphBuilder& graph, const TraceOp& op) {
  const ValueId x = op.inputs[0], weight = op.inputs[1], bias = op.inputs[2];
  if (graph.rank(x) == 2 && (bias != kNoValue || graph.opset() >= 11)) {
    graph.set_name(op.outputs[0], graph.node("Gemm", {graph.name(x), graph.name(weight), graph.name(bias)}, {Attribute::of("transB", 1)}));
    return;
  }
  std::string y = graph.node("MatMul", {graph.name(x), graph.transpose(graph.name(weight), {1, 0})});
  if (bias != kNoValue) y = graph.node("Add", {y, graph.name(bias)});
  graph.set_name(op.outputs[0], y);
}

namespace {
std::string channel_parameter(GraphBuilder& graph, ValueId id, ValueId x, double fallback, std::string_view hint) {
  if (id != kNoValue) return graph.name(id);
  return graph.constant(Tensor::full({graph.shape(x)[1]}, fallback, graph.value(x).dtype), hint);
}

// With the batch's own statistics: (x - mean) / sqrt(var + eps) * weight + bias, from elementary operators.
std::string normalise_by_batch(GraphBuilder& graph, const TraceOp& op) {
  constexpr int64_t kAxesInput = 18;  // ReduceMean takes its axes as an input
  const ValueId x = op.inputs[0];
  std::vector<int64_t> axes, broadcast = {1, graph.shape(x)[1]};
  for (int64_t axis = 0; axis < graph.rank(x); ++axis) {
    if (axis != 1) axes.push_back(axis);
    if (axis > 1) broadcast.push_back(1);
  }
  const auto mean = [&](const std::string& of) {
    return graph.with_axes("ReduceMean", of, axes, kAxesInput, {Attribute::of("keepdims", 1)});
  };
  const std::string centred = graph.node("Sub", {graph.name(x), mean(graph.name(x))});
  const std::string variance = mean(graph.node("Mul", {centred, centred}));
  const std::string deviation = graph.node("Sqrt", {graph.node("Add", {variance, graph.scalar(op.get<double>("eps"), x, "eps")})});
  std::string y = graph.node("Div", {centred, deviation});
  const std::vector<SizeEntry> shape(broadcast.begin(), broadcast.end());
  if (op.inputs[1] != kNoValue) y = graph.node("Mul", {y, graph.reshape(graph.name(op.inputs[1]), shape)});
  if (op.inputs[2] != kNoValue) y = graph.node("Add", {y, graph.reshape(graph.name(op.inputs[2]), shape)});
  return y;
}
}  // namespace

void lower_batch_norm(GraphBuilder& graph, const TraceOp& op) {
  if (op.get<bool>("training")) return graph.set_name(op.outputs[0], normalise_by_batch(graph, op));
  const ValueId x = op.inputs[0];
  graph.set_name(op.outputs[0],
                 graph.node("BatchNormalization",
                            {graph.name(x), channel_parameter(graph, op.inputs[1], x, 1, "scale"),
                             channel_parameter(graph, op.inputs[2], x, 0, "bias"), graph.name(op.inputs[3]), graph.name(op.inputs[4])},
                            {Attribute::of("epsilon", static_cast<float>(op.get<double>("eps"))),
                             Attribute::of("momentum", static_cast<float>(1 - op.get<double>("momentum")))}));
}

}  // namespace sardonyx::exporter
