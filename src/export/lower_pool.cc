// Pooling.
#include <fmt/format.h>

#include <algorithm>

#include "export/lowering.h"

namespace sardonyx::exporter {

using model::Attribute;
using nn::TraceOp;
using nn::ValueId;
using Ints = std::vector<int64_t>;

namespace {
constexpr int64_t kFirstCeilMode = 10;       // also MaxPool's dilations
constexpr int64_t kFirstTorchCeilMode = 22;  // a window that would begin in the end padding is left out, as PyTorch does

// What a pooling's windows are in ONNX.
struct Windows {
  Ints pads;  // top, left, bottom, right
  bool ceil_mode = false;
  bool count_include_pad = false;
};

// One axis of a pooling with ceil_mode and fixed sizes.
struct CeilAxis {
  int64_t overhang;           // by how much the last window reaches beyond the padding
  bool old_count_is_torches;  // opsets before 22 count the windows as PyTorch does
  bool can_pad;               // padding that covers the overhang is below the kernel, as runtimes ask
};

CeilAxis ceil_axis(const GraphBuilder& graph, const TraceOp& op, size_t axis) {
  const int64_t kernel = op.get<Ints>("kernel_size")[axis], stride = op.get<Ints>("stride")[axis], pad = op.get<Ints>("padding")[axis];
  const int64_t dilation = op.find("dilation") != nullptr ? op.get<Ints>("dilation")[axis] : 1;
  const int64_t extent = dilation * (kernel - 1) + 1, padded = graph.shape(op.inputs[0])[2 + axis] + 2 * pad;
  const int64_t count = graph.shape(op.outputs[0])[2 + axis];
  const int64_t overhang = (count - 1) * stride + extent - padded;
  return {overhang, (padded - extent + stride - 1) / stride + 1 == count, pad + overhang < kernel};
}

// ceil_mode where the opset's means what PyTorch's does; else padding at the end that lets the last window in, unless an average would
// count it.
void apply_ceil_mode(const GraphBuilder& graph, const TraceOp& op, Windows& windows) {
  const ValueId x = op.inputs[0];
  if (graph.is_dynamic(x, 2) || graph.is_dynamic(x, 3)) {
    if (graph.opset() < kFirstCeilMode) {
      graph.refuse(fmt::format("ceil_mode came with opset {}; or leave height and width fixed", kFirstCeilMode));
    }
    windows.ceil_mode = true;
    return;
  }
  const CeilAxis rows = ceil_axis(graph, op, 0), columns = ceil_axis(graph, op, 1);
  if (rows.overhang <= 0 && columns.overhang <= 0) return;
  const bool old_ceil_mode_is_right = rows.old_count_is_torches && columns.old_count_is_torches;
  const int64_t first = old_ceil_mode_is_right ? kFirstCeilMode : kFirstTorchCeilMode;
  const Ints& padding = op.get<Ints>("padding");
  if (graph.opset() >= first) {
    windows.ceil_mode = true;
  } else if ((windows.count_include_pad && padding != Ints{0, 0}) || !rows.can_pad || !columns.can_pad) {
    graph.refuse(fmt::format("ceil_mode with this padding can be told from opset {} on", first));
  } else {
    windows.count_include_pad = false;
    windows.pads[2] += std::max<int64_t>(rows.overhang, 0);
    windows.pads[3] += std::max<int64_t>(columns.overhang, 0);
  }
}

Windows windows_of(const GraphBuilder& graph, const TraceOp& op, bool count_include_pad) {
  const Ints& padding = op.get<Ints>("padding");
  Windows windows{{padding[0], padding[1], padding[0], padding[1]}, false, count_include_pad};
  if (op.get<bool>("ceil_mode")) apply_ceil_mode(graph, op, windows);
  return windows;
}

// What MaxPool and AveragePool have in common.
Attributes attributes_of(const TraceOp& op, const Windows& windows) {
  Attributes attributes = {Attribute::of("kernel_shape", op.get<Ints>("kernel_size")), Attribute::of("pads", windows.pads),
                           Attribute::of("strides", op.get<Ints>("stride"))};
  if (windows.ceil_mode) attributes.push_back(Attribute::of("ceil_mode", 1));
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
  Attributes attributes = attributes_of(op, windows_of(graph, op, false));
  const Ints& dilation = op.get<Ints>("dilation");
  if (dilation != Ints{1, 1}) {
    if (graph.opset() < kFirstCeilMode) graph.refuse(fmt::format("dilation came with opset {}", kFirstCeilMode));
    attributes.push_back(Attribute::of("dilations", dilation));
  }
  graph.set_name(op.outputs[0], graph.node("MaxPool", {graph.name(op.inputs[0])}, std::move(attributes)));
}

void lower_avg_pool2d(GraphBuilder& graph, const TraceOp& op) {
  const nn::TraceAttribute* divisor = op.find("divisor_override");
  const Windows windows = windows_of(graph, op, divisor != nullptr || op.get<bool>("count_include_pad"));
  Attributes attributes = attributes_of(op, windows);
  attributes.push_back(Attribute::of("count_include_pad", windows.count_include_pad ? 1 : 0));
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
  if (out[0] == 0 || out[1] == 0) graph.refuse("its output is empty");
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
