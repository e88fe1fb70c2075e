#include <algorithm>

#include "optimize/known_shape.h"
#include "optimize/product.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kScalesChannels = 21;  // from this opset on, GroupNormalization has one scale for each channel

const model::Node* producer_of(const GraphView& graph, const std::string& value, std::string_view op_type) {
  const std::optional<size_t> index = graph.producer(value);
  if (!index) return nullptr;
  const model::Node* node = graph.node(*index);
  return node->op_type == op_type && is_onnx_domain(node->domain) ? node : nullptr;
}

// The node that reads the value, if it is the only one and that operator.
std::optional<size_t> next_node(const GraphView& graph, const std::string& value, std::string_view op_type) {
  const std::optional<size_t> index = graph.sole_consumer(value);
  if (!index) return std::nullopt;
  const model::Node& node = *graph.node(*index);
  return node.op_type == op_type && is_onnx_domain(node.domain) ? index : std::nullopt;
}

// Whether the Reshape gives (batch, groups, the rest).
bool splits_groups(const GraphView& graph, const model::Node& reshape, int64_t groups) {
  if (reshape.input.size() != 2 || model::get_int(reshape, "allowzero", 0) != 0) return false;
  const Tensor* shape = graph.constant(reshape.input[1]);
  if (!shape || shape->dtype() != DType::kInt64 || shape->shape() != Shape{3}) return false;
  const auto sizes = shape->values<int64_t>();
  return sizes[0] == 0 && sizes[1] == groups && sizes[2] == -1;
}

// Whether the Reshape gives the shape of `x`.
bool restores_shape(const GraphView& graph, const model::Node& reshape, const std::string& x) {
  if (reshape.input.size() != 2) return false;
  const model::Node* shape = producer_of(graph, reshape.input[1], "Shape");
  const bool is_whole = shape && !shape->find_attribute("start") && !shape->find_attribute("end");
  return (is_whole && shape->input.at(0) == x) || known_same_shape(graph, first_output(reshape), x);
}

struct GroupNorm {
  std::string x;
  size_t rank, channels;
  DType dtype;
  std::vector<double> scale, shift;  // per channel
  std::vector<size_t> nodes;
  std::string output;

  // Takes a Mul or Add of a constant per channel behind it, if there is one.
  void take(const GraphView& graph, std::string_view op_type) {
    const std::optional<size_t> next = next_node(graph, output, op_type);
    if (!next) return;
    const model::Node& node = *graph.node(*next);
    if (node.input.size() != 2) return;
    const Tensor* constant = graph.constant(node.input[node.input[0] == output ? 1 : 0]);
    if (!constant || constant->dtype() != dtype) return;
    const auto values = channel_values(*constant, channels, rank - 2, rank);
    if (!values) return;
    for (size_t c = 0; c < channels; ++c) {
      if (op_type == "Mul") {
        scale[c] *= (*values)[c];
        shift[c] *= (*values)[c];
      } else {
        shift[c] += (*values)[c];
      }
    }
    nodes.push_back(*next);
    output = first_output(node);
  }
};

// What the normalisation itself scales and adds, for each channel of its group.
bool read_parameters(const GraphView& graph, const model::Node& norm, size_t groups, GroupNorm& found) {
  const Tensor *scale = graph.constant(norm.input[1]), *shift = graph.constant(norm.input[2]);
  if (!scale || !shift || scale->numel() != static_cast<int64_t>(groups) || shift->shape() != scale->shape()) return false;
  if (found.channels == 0 || found.channels % groups != 0 || scale->dtype() != shift->dtype() || !is_floating_point(scale->dtype()))
    return false;
  found.dtype = scale->dtype();
  const Tensor scales = scale->to(DType::kFloat64), shifts = shift->to(DType::kFloat64);
  for (size_t c = 0; c < found.channels; ++c) {
    const size_t group = c / (found.channels / groups);
    found.scale.push_back(scales.values<double>()[group]);
    found.shift.push_back(shifts.values<double>()[group]);
  }
  return true;
}

std::optional<GroupNorm> match(const GraphView& graph, size_t index) {
  const model::Node& norm = *graph.node(index);
  if (norm.op_type != "InstanceNormalization" || !is_onnx_domain(norm.domain) || norm.input.size() != 3) return std::nullopt;
  const model::Node* split = producer_of(graph, norm.input[0], "Reshape");
  const std::optional<size_t> join = next_node(graph, first_output(norm), "Reshape");
  const Tensor* scale = graph.constant(norm.input[1]);
  if (!split || !join || !scale || graph.sole_consumer(norm.input[0]) != index) return std::nullopt;
  const std::string& x = split->input[0];
  const model::TensorType* type = graph.type(x);
  if (!type || !type->has_shape || type->shape.dims.size() < 3 || !type->shape.dims[1].is_known()) return std::nullopt;
  const model::Node& last = *graph.node(*join);
  if (!splits_groups(graph, *split, scale->numel()) || last.input[0] != first_output(norm) || !restores_shape(graph, last, x))
    return std::nullopt;
  GroupNorm found{x, type->shape.dims.size(), static_cast<size_t>(type->shape.dims[1].size()), {}, {}, {}, {}, first_output(last)};
  if (!read_parameters(graph, norm, static_cast<size_t>(scale->numel()), found)) return std::nullopt;
  found.nodes = {*graph.producer(norm.input[0]), index, *join};
  found.take(graph, "Mul");
  found.take(graph, "Add");
  return found;
}

Tensor parameter(const std::vector<double>& values, DType dtype) {
  Tensor tensor = Tensor::empty({static_cast<int64_t>(values.size())}, DType::kFloat64);
  std::ranges::copy(values, tensor.mutable_values<double>().begin());
  return tensor.to(dtype);
}

}  // namespace

std::optional<Patch> fuse_group_norm(const GraphView& graph, size_t index) {
  std::optional<GroupNorm> found = match(graph, index);
  if (!found) return std::nullopt;
  const model::Node& norm = *graph.node(index);
  model::Node fused;
  fused.name = norm.name;
  fused.op_type = "GroupNormalization";
  if (graph.opset("") < kScalesChannels) fused.domain = kFusedDomain;
  fused.input = {found->x, graph.fresh_name(norm.output[0] + "_scale"), graph.fresh_name(norm.output[0] + "_bias")};
  fused.output = {found->output};
  fused.attribute = {model::Attribute::of("num_groups", graph.constant(norm.input[1])->numel()),
                     model::Attribute::of("epsilon", model::get_float(norm, "epsilon", 1e-5f))};
  Patch patch{.remove = std::move(found->nodes)};
  patch.constants.push_back(model::encode(parameter(found->scale, found->dtype), fused.input[1]));
  patch.constants.push_back(model::encode(parameter(found->shift, found->dtype), fused.input[2]));
  patch.add.push_back(std::move(fused));
  return patch;
}

}  // namespace sardonyx::optimize
