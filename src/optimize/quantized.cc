#include "optimize/quantized.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "optimize/pass.h"

namespace sardonyx::optimize {
namespace {

bool is_quantizer(const model::Node& node, std::string_view op_type) {
  return node.op_type == op_type && (is_onnx_domain(node.domain) || node.domain == "com.microsoft") && node.input.size() >= 2;
}

bool are_scales(const Tensor* scales) {
  if (!scales || scales->dtype() != DType::kFloat32 || scales->dim() > 1 || scales->numel() == 0) return false;
  return std::ranges::all_of(scales->values<float>(), [](float s) { return s > 0 && std::isnormal(s) && std::isfinite(s * 512); });
}

// Scale and zero point of a QuantizeLinear or DequantizeLinear; `type` is that of q where the node itself does not tell.
std::optional<Quantization> quantization_of(const GraphView& graph, const model::Node& node, DType type) {
  if (model::get_int(node, "block_size", 0) != 0 || node.find_attribute("precision")) return std::nullopt;
  Quantization how{.scale = node.input[1], .zero = {}, .scales = graph.constant(node.input[1]), .type = type};
  how.axis = model::get_int(node, "axis", 1);
  if (!are_scales(how.scales)) return std::nullopt;
  if (node.input.size() > 2 && !node.input[2].empty()) {
    how.zero = node.input[2];
    how.zeros = graph.constant(how.zero);
    if (!how.zeros || how.zeros->numel() != how.scales->numel()) return std::nullopt;
    how.type = how.zeros->dtype();
  }
  return is_byte(how.type) || how.type == DType::kInt32 ? std::optional(how) : std::nullopt;
}

DType declared_type(const GraphView& graph, const std::string& value) {
  const model::TensorType* type = graph.type(value);
  return type ? type->dtype() : DType::kUndefined;
}

double bound_of(DType type, bool greatest) {
  const bool is_signed = type == DType::kInt8;
  if (greatest) return is_signed ? 127 : 255;
  return is_signed ? -128 : 0;
}

}  // namespace

double Quantization::scale_at(size_t i) const { return static_cast<double>(scales->values<float>()[has_one_scale() ? 0 : i]); }

double Quantization::zero_at(size_t i) const { return zeros ? zeros->to(DType::kFloat64).values<double>()[has_one_scale() ? 0 : i] : 0; }

bool Quantization::equals(const Quantization& other) const {
  if (type != other.type || scales->numel() != other.scales->numel() || (!has_one_scale() && axis != other.axis)) return false;
  for (size_t i = 0; i < static_cast<size_t>(scales->numel()); ++i) {
    if (scale_at(i) != other.scale_at(i) || zero_at(i) != other.zero_at(i)) return false;
  }
  return true;
}

std::optional<Dequantized> dequantized(const GraphView& graph, const std::string& value) {
  const std::optional<size_t> producer = graph.producer(value);
  if (!producer) return std::nullopt;
  const model::Node& node = *graph.node(*producer);
  if (!is_quantizer(node, "DequantizeLinear")) return std::nullopt;
  std::optional<Quantization> how = quantization_of(graph, node, declared_type(graph, node.input[0]));
  return how ? std::optional(Dequantized{*producer, node.input[0], std::move(*how)}) : std::nullopt;
}

std::optional<Quantized> quantized_by(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (!is_quantizer(node, "QuantizeLinear") || node.find_attribute("output_dtype")) return std::nullopt;
  std::optional<Quantization> how = quantization_of(graph, node, DType::kUInt8);
  if (!how || !is_byte(how->type)) return std::nullopt;
  return Quantized{index, first_output(node), std::move(*how)};
}

double least_value(const Quantization& how) { return (bound_of(how.type, false) - how.zero_at(0)) * how.scale_at(0); }
double greatest_value(const Quantization& how) { return (bound_of(how.type, true) - how.zero_at(0)) * how.scale_at(0); }
bool is_byte(DType dtype) noexcept { return dtype == DType::kInt8 || dtype == DType::kUInt8; }

void retire(const GraphView& graph, const std::vector<Dequantized>& inputs, size_t reader, Patch& patch) {
  for (const Dequantized& input : inputs) {
    const std::string& value = first_output(*graph.node(input.node));
    const bool has_other_reader = std::ranges::any_of(graph.consumers(value), [&](size_t r) { return r != reader; });
    const bool is_listed = std::ranges::find(patch.remove, input.node) != patch.remove.end();
    if (!graph.is_pinned(value) && !has_other_reader && !is_listed) patch.remove.push_back(input.node);
  }
}

}  // namespace sardonyx::optimize
