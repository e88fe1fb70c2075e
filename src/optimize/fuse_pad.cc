#include <algorithm>
#include <limits>

#include "optimize/activation_match.h"
#include "optimize/pad_amounts.h"
#include "optimize/product.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kCountsPadding = 7;               // AveragePool has count_include_pad from this opset on
constexpr int64_t kMostPadding = int64_t{1} << 30;  // beyond: the operator's own limits may be narrower than Pad's

enum class WindowKind { kConv, kMaxPool, kAveragePool };

std::optional<WindowKind> window_kind(const model::Node& node) {
  if (product_kind(node) == ProductKind::kConv) return WindowKind::kConv;
  if (!is_onnx_domain(node.domain)) return std::nullopt;
  if (node.op_type == "MaxPool" && node.output.size() == 1) return WindowKind::kMaxPool;
  return node.op_type == "AveragePool" ? std::optional(WindowKind::kAveragePool) : std::nullopt;
}

std::vector<int64_t> kernel_of(const GraphView& graph, const model::Node& node) {
  std::vector<int64_t> kernel = model::get_ints(node, "kernel_shape");
  const Tensor* weight = node.input.size() > 1 ? graph.constant(node.input[1]) : nullptr;
  if (kernel.empty() && weight && weight->dim() > 2) kernel.assign(weight->shape().begin() + 2, weight->shape().end());
  return kernel;
}

// Whether nothing that the value holds is below 0.
bool is_never_negative(const GraphView& graph, const std::string& value) {
  const std::optional<size_t> producer = graph.producer(value);
  if (!producer) return false;
  const model::Node& node = *graph.node(*producer);
  return (is_onnx_domain(node.domain) && node.op_type == "Relu") ||
         (product_kind(node) && has_activation(node) && model::get_string(node, "activation", "") == "Relu");
}

// Every window sees an element that is not padding, whose maximum the padding does not change.
bool pools_past_padding(const GraphView& graph, const model::Node& pad, const PadAmounts& amounts, std::span<const int64_t> kernel) {
  for (size_t i = 0; i < kernel.size(); ++i) {
    if (amounts.begin[i] >= kernel[i] || amounts.end[i] >= kernel[i]) return false;
  }
  if (amounts.value == -std::numeric_limits<double>::infinity()) return true;
  return amounts.value == 0 && is_never_negative(graph, pad.input[0]);
}

bool is_plain(const model::Node& node) {
  const auto ones = [](const std::vector<int64_t>& v) { return std::ranges::all_of(v, [](int64_t i) { return i == 1; }); };
  return model::get_int(node, "ceil_mode", 0) == 0 && ones(model::get_ints(node, "dilations"));
}

bool takes_padding(const GraphView& graph, WindowKind kind, const model::Node& node, const model::Node& pad, const PadAmounts& amounts,
                   std::span<const int64_t> kernel, bool has_pads) {
  switch (kind) {
    case WindowKind::kConv:
      return amounts.value == 0;
    case WindowKind::kMaxPool:
      return is_plain(node) && !has_pads && pools_past_padding(graph, pad, amounts, kernel);
    default:
      return is_plain(node) && amounts.value == 0 && graph.opset(node.domain) >= kCountsPadding &&
             (!has_pads || model::get_int(node, "count_include_pad", 0) != 0);
  }
}

void set_attribute(model::Node& node, model::Attribute attribute) {
  std::erase_if(node.attribute, [&](const model::Attribute& a) { return a.name == attribute.name; });
  node.attribute.push_back(std::move(attribute));
}

}  // namespace

std::optional<Patch> fuse_pad(const GraphView& graph, size_t index) {
  const model::Node& pad = *graph.node(index);
  if (pad.op_type != "Pad" || pad.input.empty()) return std::nullopt;
  const std::optional<size_t> next = graph.sole_consumer(first_output(pad));
  if (!next) return std::nullopt;
  const model::Node& node = *graph.node(*next);
  const std::optional<WindowKind> kind = window_kind(node);
  if (!kind || node.input[0] != first_output(pad)) return std::nullopt;
  const std::string auto_pad = model::get_string(node, "auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "VALID" && !auto_pad.empty()) return std::nullopt;
  const std::vector<int64_t> kernel = kernel_of(graph, node);
  const std::optional<PadAmounts> amounts = pad_amounts(graph, pad, kernel.size() + 2);
  if (!amounts) return std::nullopt;
  std::vector<int64_t> pads = auto_pad == "VALID" ? std::vector<int64_t>() : model::get_ints(node, "pads");
  const bool has_pads = std::ranges::any_of(pads, [](int64_t p) { return p != 0; });
  if (!takes_padding(graph, *kind, node, pad, *amounts, kernel, has_pads)) return std::nullopt;
  pads.resize(2 * kernel.size());
  for (size_t i = 0; i < kernel.size(); ++i) {
    if (amounts->begin[i] > kMostPadding || amounts->end[i] > kMostPadding) return std::nullopt;
    pads[i] += amounts->begin[i];
    pads[i + kernel.size()] += amounts->end[i];
  }
  model::Node fused = node;
  std::erase_if(fused.attribute, [](const model::Attribute& a) { return a.name == "auto_pad"; });
  set_attribute(fused, model::Attribute::of("pads", std::move(pads)));
  if (*kind == WindowKind::kAveragePool) set_attribute(fused, model::Attribute::of("count_include_pad", 1));
  fused.input[0] = pad.input[0];
  Patch patch{.remove = {index, *next}};
  patch.add.push_back(std::move(fused));
  return patch;
}

}  // namespace sardonyx::optimize
