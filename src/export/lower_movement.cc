// What moves elements without computing: shapes, axes, pixel shuffle.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "export/lowering.h"

namespace sardonyx::exporter {

using model::Attribute;
using nn::TraceOp;
using nn::ValueId;
using Ints = std::vector<int64_t>;

namespace {
constexpr int64_t kFirstAxesInput = 13;     // Squeeze and Unsqueeze take axes as an input
constexpr int64_t kFirstDepthToSpace = 11;  // DepthToSpace has mode CRD, PyTorch's order

// A 0 in Reshape's shape copies the input's size on that axis.
constexpr int64_t kCopy = 0;

// Sizes of a value's axes [2, 3] times factor / divisor: numbers where both are fixed, else one computed vector.
std::vector<SizeEntry> plane(GraphBuilder& graph, ValueId x, int64_t factor, int64_t divisor) {
  if (!graph.is_dynamic(x, 2) && !graph.is_dynamic(x, 3)) {
    const Shape& shape = graph.shape(x);
    if (shape[2] == 0 || shape[3] == 0) graph.refuse("the example image is empty");
    return {shape[2] * factor / divisor, shape[3] * factor / divisor};
  }
  return {graph.sizes_of(graph.name(x), {2, 3}, factor, divisor)};
}

std::vector<SizeEntry> concat(std::vector<SizeEntry> head, const std::vector<SizeEntry>& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}
}  // namespace

// [N, C r r, H, W] -> [N, C, r, r, H, W] -> [N, C, H, r, W, r] -> [N, C, H r, W r].
void lower_pixel_shuffle(GraphBuilder& graph, const TraceOp& op) {
  const ValueId x = op.inputs[0];
  const int64_t r = op.get<int64_t>("upscale_factor");
  if (graph.opset() >= kFirstDepthToSpace) {
    graph.set_name(op.outputs[0],
                   graph.node("DepthToSpace", {graph.name(x)}, {Attribute::of("blocksize", r), Attribute::of("mode", "CRD")}));
    return;
  }
  const int64_t channels = graph.shape(x)[1] / (r * r);
  const std::string blocks = graph.reshape(graph.name(x), concat({kCopy, channels, r, r}, plane(graph, x, 1, 1)));
  const std::string moved = graph.transpose(blocks, {0, 1, 4, 2, 5, 3});
  graph.set_name(op.outputs[0], graph.reshape(moved, concat({kCopy, channels}, plane(graph, x, r, 1))));
}

// [N, C, H r, W r] -> [N, C, H, r, W, r] -> [N, C, r, r, H, W] -> [N, C r r, H, W].
void lower_pixel_unshuffle(GraphBuilder& graph, const TraceOp& op) {
  const ValueId x = op.inputs[0];
  const int64_t r = op.get<int64_t>("downscale_factor");
  const int64_t channels = graph.shape(x)[1];
  const bool fixed = !graph.is_dynamic(x, 2) && !graph.is_dynamic(x, 3);
  const auto size = [&](int64_t axis) -> SizeEntry {
    if (fixed) return graph.shape(x)[static_cast<size_t>(axis)] / r;
    return graph.sizes_of(graph.name(x), {axis}, 1, r);
  };
  const std::vector<SizeEntry> split = {kCopy, channels, size(2), r, size(3), r};
  const std::string moved = graph.transpose(graph.reshape(graph.name(x), split), {0, 1, 3, 5, 2, 4});
  graph.set_name(op.outputs[0], graph.reshape(moved, concat({kCopy, channels * r * r}, plane(graph, x, 1, r))));
}

// The axes before the merged ones are copied, the merged axis is inferred (-1), the axes after it are numbers or computed.
void lower_flatten(GraphBuilder& graph, const TraceOp& op) {
  const ValueId x = op.inputs[0];
  const int64_t rank = graph.rank(x);
  if (rank == 0) return graph.set_name(op.outputs[0], graph.reshape(graph.name(x), {int64_t{1}}));
  const int64_t first = graph.axis(x, op.get<int64_t>("start_dim")), last = graph.axis(x, op.get<int64_t>("end_dim"));
  const bool takes_type = graph.opset() >= 9 || is_floating_point(graph.value(x).dtype);
  if (first == 1 && last == rank - 1 && takes_type) {
    return graph.set_name(op.outputs[0], graph.node("Flatten", {graph.name(x)}, {Attribute::of("axis", 1)}));
  }
  std::vector<SizeEntry> shape(static_cast<size_t>(first), kCopy);
  shape.emplace_back(int64_t{-1});
  for (int64_t axis = last + 1; axis < rank; ++axis) {
    const int64_t size = graph.shape(x)[static_cast<size_t>(axis)];
    if (graph.is_dynamic(x, axis)) {
      shape.emplace_back(graph.sizes_of(graph.name(x), {axis}));
    } else if (size == 0) {
      graph.refuse(fmt::format("axis {} of the example is empty", axis));
    } else {
      shape.emplace_back(size);
    }
  }
  graph.set_name(op.outputs[0], graph.reshape(graph.name(x), shape));
}

void lower_reshape(GraphBuilder& graph, const TraceOp& op) {
  constexpr int64_t kFirstAllowZero = 14;
  const Ints& shape = op.get<Ints>("shape");
  Attributes attributes;
  if (std::count(shape.begin(), shape.end(), 0) > 0) {
    if (graph.opset() < kFirstAllowZero) graph.refuse(fmt::format("a size of 0 can be told from opset {} on", kFirstAllowZero));
    attributes.push_back(Attribute::of("allowzero", 1));
  }
  graph.set_name(op.outputs[0], graph.reshape(graph.name(op.inputs[0]), {shape.begin(), shape.end()}, std::move(attributes)));
}

void lower_permute(GraphBuilder& graph, const TraceOp& op) {
  Ints dims = op.get<Ints>("dims");
  for (int64_t& dim : dims) dim = graph.axis(op.inputs[0], dim);
  graph.set_name(op.outputs[0], graph.transpose(graph.name(op.inputs[0]), dims));
}

void lower_transpose(GraphBuilder& graph, const TraceOp& op) {
  const ValueId x = op.inputs[0];
  if (graph.rank(x) == 0) return graph.set_name(op.outputs[0], graph.node("Identity", {graph.name(x)}));
  Ints dims(static_cast<size_t>(graph.rank(x)));
  std::iota(dims.begin(), dims.end(), int64_t{0});
  std::swap(dims[static_cast<size_t>(graph.axis(x, op.get<int64_t>("dim0")))],
            dims[static_cast<size_t>(graph.axis(x, op.get<int64_t>("dim1")))]);
  graph.set_name(op.outputs[0], graph.transpose(graph.name(x), dims));
}

void lower_unsqueeze(GraphBuilder& graph, const TraceOp& op) {
  const int64_t dim = op.get<int64_t>("dim");
  const int64_t axis = dim < 0 ? dim + graph.rank(op.inputs[0]) + 1 : dim;
  graph.set_name(op.outputs[0], graph.with_axes("Unsqueeze", graph.name(op.inputs[0]), {axis}, kFirstAxesInput));
}

void lower_squeeze(GraphBuilder& graph, const TraceOp& op) {
  const int64_t axis = graph.axis(op.inputs[0], op.get<int64_t>("dim"));
  graph.set_name(op.outputs[0], graph.with_axes("Squeeze", graph.name(op.inputs[0]), {axis}, kFirstAxesInput));
}

void lower_cat(GraphBuilder& graph, const TraceOp& op) {
  std::vector<std::string> inputs;
  for (const ValueId id : op.inputs) inputs.push_back(graph.name(id));
  graph.set_name(op.outputs[0],
                 graph.node("Concat", std::move(inputs), {Attribute::of("axis", graph.axis(op.inputs[0], op.get<int64_t>("dim")))}));
}

}  // namespace sardonyx::exporter
