#include "optimize/blocked_nodes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "ops/blocked/blocked.h"
#include "ops/conv/conv.h"
#include "optimize/batch_norm.h"
#include "optimize/match.h"
#include "optimize/pass.h"

namespace sardonyx::optimize {
namespace {

// Images with more elements than this stay plain: tiled chains keep what is between their convolutions small.
constexpr double kMostElements = 1 << 21;
// A first convolution of at most so many channels reads its input plain: blocks would be empty for the greatest part.
constexpr int64_t kFewChannels = 8;

// The costs below are fitted to timings of the kernels: nanoseconds of one thread for each floating-point operation, element or output.
constexpr double kProduct = 1.0 / 205;
constexpr double kUnfoldedElement = 0.25;  // of the plain convolution's input, for each block of rows of its product
constexpr double kRowsOfProduct = 140;
constexpr double kColumnsOfProduct = 32;
constexpr double kWinogradProducts = 16.0 / 36;
constexpr double kTransformedElement = 1;
constexpr double kConvertedElement = 0.2;
constexpr double kStartedNode = 2000;
constexpr double kEmptyLane = 0.1;
constexpr double kNormalizedElement = 0.1;  // the function behind it is applied at once

double number(int64_t value) noexcept { return static_cast<double>(value); }
double rounded_up(double value, double unit) noexcept { return std::ceil(value / unit) * unit; }

bool is_large(const ImageSize& image) noexcept { return image.plane() * number(image.channels) > kMostElements; }

// What the lanes behind the last channel cost an operator that moves its image through memory.
double empty_lanes_cost(const ImageSize& image) {
  const double lanes = number(ops::channel_blocks(image.channels) * ops::block_lanes());
  return image.elements() * (lanes / number(image.channels) - 1) * kEmptyLane;
}

struct Convolution {
  ImageSize x, y;
  int64_t groups, kernel_height, kernel_width;
  bool is_for_winograd = false;
  bool is_depthwise() const noexcept { return groups > 1 && groups == x.channels; }
  double flops() const noexcept { return 2 * y.elements() * number(x.channels / groups * kernel_height * kernel_width); }
};

// The plain kernel goes along lines: short ones, and strides, leave its vectors empty.
double depthwise_gain(const Convolution& c) {
  const double outputs = c.y.elements() * number(c.kernel_height * c.kernel_width) / 9;
  const double strided = c.x.plane() > 1.5 * c.y.plane() ? 3 : 1;
  return outputs * (strided * (0.3 + 10 / number(c.y.width)) - (0.22 + 2 / number(c.y.width))) - empty_lanes_cost(c.y);
}

// The plain kernel is a product whose columns are outputs, padded to whole register tiles and, between lines, by what the kernel reaches
// over; it unfolds its input for each block of rows.
double dense_gain(const Convolution& c) {
  const double pitch = number(c.y.width + c.kernel_width - 1) / number(c.y.width);
  const double filled = c.y.plane() / rounded_up(c.y.plane(), kColumnsOfProduct);
  const double rows = std::ceil(number(c.y.channels / c.groups) / kRowsOfProduct);
  const double direct = c.flops() * kProduct * pitch / filled + c.x.elements() * rows * kUnfoldedElement;
  const double winograd = c.flops() * kProduct * kWinogradProducts + (c.x.elements() + c.y.elements()) * kTransformedElement;
  const double plain = c.is_for_winograd ? winograd : direct;
  const double lanes = number(ops::channel_blocks(c.y.channels) * ops::block_lanes()) / number(c.y.channels);
  return plain - c.flops() * kProduct * lanes;
}

std::optional<BlockedRole> refuse(std::string& refusal, const char* reason) {
  refusal = reason;
  return std::nullopt;
}

bool is_convolution(const model::Node& node) {
  return is_onnx_node(node, "Conv") || (node.domain == kFusedDomain && node.op_type == "FusedConv");
}

// Whether the plain kernel takes that way, if the pass winograd is on.
bool is_for_winograd(const model::Node& node, const Shape& weights) {
  const auto is_one = [](int64_t n) { return n == 1; };
  const bool moves_by_one =
      std::ranges::all_of(model::get_ints(node, "strides"), is_one) && std::ranges::all_of(model::get_ints(node, "dilations"), is_one);
  return moves_by_one && model::get_int(node, "group", 1) == 1 && ops::winograd_serves(weights);
}

std::optional<BlockedRole> convolution_role(const GraphView& graph, const model::Node& node, std::string& refusal) {
  const Tensor* weights = node.input.size() > 1 ? graph.constant(node.input[1]) : nullptr;
  if (!weights) return refuse(refusal, "its weights are not constant");
  if (weights->dim() != 4 || weights->dtype() != DType::kFloat32) return refuse(refusal, "it is not one of float32 in two dimensions");
  const std::optional<ImageSize> x = image_size(graph, node.input[0]), y = image_size(graph, first_output(node));
  if (!x || !y) return refuse(refusal, "the sizes of its images are not known");
  if (is_large(*x) || is_large(*y)) return refuse(refusal, "its images are large: bands of plain ones take less memory");
  const Shape& w = weights->shape();
  const int64_t groups = model::get_int(node, "group", 1);
  if (groups < 1 || x->channels % groups != 0 || w[1] != x->channels / groups || w[0] != y->channels || w[0] % groups != 0) {
    return refuse(refusal, "its shapes do not fit");
  }
  const Convolution c = {*x, *y, groups, w[2], w[3], is_for_winograd(node, w)};
  const int64_t lanes = ops::block_lanes();
  if (c.is_depthwise() && y->channels != x->channels) return refuse(refusal, "a channel of a depthwise convolution gives several");
  if (groups > 1 && !c.is_depthwise() && (w[1] % lanes != 0 || w[0] / groups % lanes != 0)) {
    return refuse(refusal, "its groups are no whole blocks of channels");
  }
  BlockedRole role{.op_type = "BlockedConv", .images = {0}};
  if (node.input.size() > 3 && !node.input[3].empty()) role.images.push_back(3);
  role.may_read_plain = groups == 1 && x->channels <= kFewChannels;
  role.gain = c.is_depthwise() ? depthwise_gain(c) : dense_gain(c);
  return role;
}

std::optional<BlockedRole> pool_role(const model::Node& node) {
  for (const char* name : {"MaxPool", "AveragePool", "GlobalAveragePool"}) {
    if (is_onnx_node(node, name)) return BlockedRole{.op_type = std::string("Blocked") + name, .images = {0}};
  }
  return std::nullopt;
}

std::optional<BlockedRole> batch_norm_role(const GraphView& graph, const model::Node& node, const ImageSize& y) {
  std::optional<Affine> affine = batch_norm_affine(graph, node, static_cast<size_t>(y.channels));
  if (!affine) return std::nullopt;
  return BlockedRole{.op_type = "BlockedConv", .images = {0}, .affine = std::move(affine)};
}

constexpr std::array<std::string_view, 22> kUnary = {
    "Abs", "Celu",      "Clip", "Elu",  "Erf",     "Exp",      "Gelu",     "HardSigmoid", "HardSwish", "LeakyRelu", "Mish",
    "Neg", "QuickGelu", "Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Sqrt",        "Swish",     "Tanh",      "ThresholdedRelu"};
constexpr std::array<std::string_view, 4> kBinary = {"Add", "Div", "Mul", "Sub"};

bool is_scalar(const GraphView& graph, const std::string& value) {
  const Tensor* constant = graph.constant(value);
  return constant && constant->numel() == 1;
}

// An image times one value for each of its channels is an operator of its own.
void find_scale(const GraphView& graph, const model::Node& node, BlockedRole& role) {
  for (const size_t image : {size_t{0}, size_t{1}}) {
    const std::string &x = node.input[image], &factors = node.input[1 - image];
    if (image_size(graph, factors)->plane() > 1 || !is_same(graph.dims(x)->front(), graph.dims(factors)->front())) continue;
    role.op_type = "BlockedScale";
    role.images = {image, 1 - image};
    return;
  }
}

std::optional<BlockedRole> binary_role(const GraphView& graph, const model::Node& node, const ImageSize& y) {
  if (node.input.size() != 2 || !is_onnx_node(node, node.op_type)) return std::nullopt;
  BlockedRole role;
  for (size_t i = 0; i < 2; ++i) {
    if (is_scalar(graph, node.input[i])) continue;
    const std::optional<ImageSize> x = image_size(graph, node.input[i]);
    if (!x || x->channels != y.channels) return std::nullopt;
    role.images.push_back(i);
  }
  if (role.images.empty()) return std::nullopt;
  if (node.op_type == "Mul" && role.images.size() == 2 && y.plane() > 1) find_scale(graph, node, role);
  return role;
}

std::optional<BlockedRole> concat_role(const GraphView& graph, const model::Node& node) {
  const int64_t axis = model::get_int(node, "axis", 1);
  if (axis != 1 && axis != -3) return std::nullopt;
  BlockedRole role;
  for (size_t i = 0; i < node.input.size(); ++i) {
    const std::optional<ImageSize> x = image_size(graph, node.input[i]);
    if (!x || x->channels % ops::block_lanes() != 0) return std::nullopt;
    role.images.push_back(i);
  }
  return role;
}

std::optional<BlockedRole> elementwise_role(const GraphView& graph, const model::Node& node, const ImageSize& y) {
  if (std::ranges::find(kBinary, node.op_type) != kBinary.end()) return binary_role(graph, node, y);
  if (is_onnx_node(node, "BatchNormalization")) return batch_norm_role(graph, node, y);
  if (is_onnx_node(node, "Concat")) return concat_role(graph, node);
  if (std::ranges::find(kUnary, node.op_type) == kUnary.end() || node.input.empty()) return std::nullopt;
  if (!is_onnx_domain(node.domain) && node.domain != kFusedDomain && node.domain != "com.microsoft") return std::nullopt;
  for (size_t i = 1; i < node.input.size(); ++i) {
    if (!node.input[i].empty() && !is_scalar(graph, node.input[i])) return std::nullopt;
  }
  return BlockedRole{.images = {0}};
}

}  // namespace

std::optional<ImageSize> image_size(const GraphView& graph, const std::string& value) {
  const std::vector<model::Dimension>* dims = graph.dims(value);
  if (!dims || dims->size() != 4 || graph.dtype(value) != DType::kFloat32) return std::nullopt;
  for (size_t i = 0; i < 4; ++i) {
    const model::Dimension& dim = (*dims)[i];
    if ((i > 0 && !dim.is_known()) || (dim.is_known() && (dim.size() < 1 || dim.size() > INT32_MAX))) return std::nullopt;
  }
  return ImageSize{(*dims)[0].is_known() ? (*dims)[0].size() : 1, (*dims)[1].size(), (*dims)[2].size(), (*dims)[3].size()};
}

std::optional<BlockedRole> blocked_role(const GraphView& graph, const model::Node& node, std::string& refusal) {
  if (node.output.size() != 1 || node.input.empty()) return std::nullopt;
  if (is_convolution(node)) return convolution_role(graph, node, refusal);
  const std::optional<ImageSize> x = image_size(graph, node.input[0]), y = image_size(graph, node.output[0]);
  if (!y || is_large(*y)) return std::nullopt;
  std::optional<BlockedRole> role = pool_role(node);
  if (role && (!x || is_large(*x))) return std::nullopt;
  if (!role) role = elementwise_role(graph, node, *y);
  if (role) role->gain = (role->affine ? y->elements() * kNormalizedElement : 0) - empty_lanes_cost(*y);
  return role;
}

double conversion_cost(const ImageSize& image) { return kStartedNode + image.elements() * kConvertedElement + empty_lanes_cost(image); }

}  // namespace sardonyx::optimize
