// Pooling.
#include <fmt/format.h>

#include "export/lowering.h"

namespace sardonyx::exporter {

using model::Attribute;
using nn::TraceOp;
using nn::ValueId;
using Ints = std::vector<int64_t>;

namespace {
constexpr int64_t kFirstCeilMode = 10;  // also MaxPool's dilations

// What MaxPool and AveragePool have in common.
Attributes window(GraphBuilder& graph, const TraceOp& op) {
  const Ints& padding = op.get<Ints>("padding");
  Attributes attributes = {Attribute::of("kernel_shape", op.get<Ints>("kernel_size")),
                           Attribute::of("pads", Ints{padding[0], padding[1], padding[0], padding[1]}),
                           Attribute::of("strides", op.get<Ints>("stride"))};
  if (op.get<bool>("ceil_mode")) {
    if (graph.opset() < kFirstCeilMode) graph.refuse(fmt::format("ceil_mode came with opset {}", kFirstCeilMode));
    attributes.push_back(Attribute::of("ceil_mode", 1));
  }
  return attributes;
}

// Row i averages the inputs that adaptive pooling gives to output i: from floor(i in / out) to ceil((i + 1) in / out).
Tensor averaging_matrix(int64_t in, int64_t out, bool transposed, DType dtype) {
  Tensor matrix(transposed ? Shape{in, out} : Shape{out, in}, DType::kFloat64);
  const std::span<double> elements = matrix.mutable_values<double>();
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    for (int64_t k = begin; k < end; ++k)
      elements[static_cast<size_t>(transposed ? k * out + i : i * in + k)] = 1.0 / static_cast<double>(end - begin);
  }
  return matrix.to(dtype);
}
}  // namespace

void lower_max_pool2d(GraphBuilder& graph, const TraceOp& op) {
  Attributes attributes = window(graph, op);
  const Ints& dilation = op.get<Ints>("dilation");
  if (dilation != Ints{1, 1}) {
    if (graph.opset() < kFirstCeilMode) graph.refuse(fmt::format("dilation came with opset {}", kFirstCeilMode));
    attributes.push_back(Attribute::of("dilations", dilation));
  }
  graph.set_name(op.outputs[0], graph.node("MaxPool", {graph.name(op.inputs[0])}, std::move(attributes)));
}

void lower_avg_pool2d(GraphBuilder& graph, const TraceOp& op) {
  Attributes attributes = window(graph, op);
  const nn::TraceAttribute* divisor = op.find("divisor_override");
  const bool include_pad = divisor != nullptr || op.get<bool>("count_include_pad");
  attributes.push_back(Attribute::of("count_include_pad", include_pad ? 1 : 0));
  std::string y = graph.node("AveragePool", {graph.name(op.inputs[0])}, std::move(attributes));
  if (divisor != nullptr) {
    const Ints& kernel = op.get<Ints>("kernel_size");
    const double scale = static_cast<double>(kernel[0] * kernel[1]) / static_cast<double>(std::get<int64_t>(*divisor));
    y = graph.node("Mul", {y, graph.scalar(scale, op.inputs[0], "scale")});
  }
  graph.set_name(op.outputs[0], y);
}

// To one element: GlobalAveragePool. To a divisor of the input: AveragePool. To any other size: both directions are linear maps, so two
// products with averaging matrices.
void lower_adaptive_avg_pool2d(GraphBuilder& graph, const TraceOp& op) {
  const ValueId x = op.inputs[0];
  const Ints& out = op.get<Ints>("output_size");
  if (out == Ints{1, 1}) {
    graph.set_name(op.outputs[0], graph.node("GlobalAveragePool", {graph.name(x)}));
    return;
  }
  const int64_t height = graph.shape(x)[2], width = graph.shape(x)[3];
  if (graph.is_dynamic(x, 2) || graph.is_dynamic(x, 3)) {
    graph.refuse(
        fmt::format("pooling to {}x{} depends on the input's height and width, which are dynamic; leave these axes fixed, or pool to 1x1",
                    out[0], out[1]));
  }
  if (height % out[0] == 0 && width % out[1] == 0) {
    const Ints kernel = {height / out[0], width / out[1]};
    graph.set_name(op.outputs[0],
                   graph.node("AveragePool", {graph.name(x)}, {Attribute::of("kernel_shape", kernel), Attribute::of("strides", kernel)}));
    return;
  }
  const DType dtype = graph.value(x).dtype;
  const std::string rows = graph.node("MatMul", {graph.constant(averaging_matrix(height, out[0], false, dtype), "rows"), graph.name(x)});
  graph.set_name(op.outputs[0], graph.node("MatMul", {rows, graph.constant(averaging_matrix(width, out[1], true, dtype), "columns")}));
}

}  // namespace sardonyx::exporter
