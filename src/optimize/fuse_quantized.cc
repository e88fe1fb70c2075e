#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "optimize/quantized.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

// One region: a node of floats whose inputs are dequantised and whose only result is quantised.
struct Region {
  const GraphView& graph;
  const model::Node& node;
  std::vector<Dequantized> inputs;  // of the node, those that are
  Quantized output;
  Patch patch;
  model::Node result;

  // The zero point's name; one that the node leaves out becomes a constant.
  std::string zero(const Quantization& how) {
    if (!how.zero.empty()) return how.zero;
    std::string name = graph.fresh_name(how.scale + "_zero_point_" + std::to_string(static_cast<int>(how.type)));
    const auto same = [&](const model::TensorData& t) { return t.name == name; };
    if (std::ranges::none_of(patch.constants, same))
      patch.constants.push_back(model::encode(Tensor::zeros(how.scales->shape(), how.type), name));
    return name;
  }
  void read(const Dequantized& input) { result.input.insert(result.input.end(), {input.q, input.how.scale, zero(input.how)}); }
  void quantize_result() { result.input.insert(result.input.end(), {output.how.scale, zero(output.how)}); }
  bool all_of_type(DType type) const {
    return std::ranges::all_of(inputs, [&](const Dequantized& input) { return input.how.type == type && input.how.has_one_scale(); });
  }
};

// The bias as int32, in units of the product of the scales: q such that q * unit is the bias, rounded to the nearest.
std::optional<std::string> integer_bias(Region& region, const std::string& bias, const std::vector<double>& units) {
  const auto known = dequantized(region.graph, bias);
  const Tensor* source = region.graph.constant(known ? known->q : bias);
  if (!source || source->shape() != Shape{static_cast<int64_t>(units.size())}) return std::nullopt;
  const bool is_plain = !known && source->dtype() == DType::kFloat32;
  if (!is_plain && !(known && known->how.type == DType::kInt32)) return std::nullopt;
  const Tensor values = source->to(DType::kFloat64);
  Tensor result = Tensor::empty(source->shape(), DType::kInt32);
  for (size_t c = 0; c < units.size(); ++c) {
    const double number = values.values<double>()[c];
    const double exact = known ? (number - known->how.zero_at(c)) * known->how.scale_at(c) / units[c] : number / units[c];
    if (!(std::abs(exact) < 2147483520.0)) return std::nullopt;
    result.mutable_values<int32_t>()[c] = static_cast<int32_t>(std::nearbyint(exact));
  }
  if (known) region.inputs.push_back(*known);
  std::string name = region.graph.fresh_name(first_output(region.node) + "_bias");
  region.patch.constants.push_back(model::encode(result, name));
  return name;
}

std::vector<double> units_of(const Quantization& x, const Quantization& w, size_t channels, double factor) {
  std::vector<double> units(channels);
  for (size_t c = 0; c < channels; ++c) units[c] = factor * x.scale_at(0) * w.scale_at(c);
  return units;
}

// One scale, or one for each entry of that axis of a matrix or filter.
bool scales_along(const Quantization& how, int64_t axis, size_t rank) {
  return how.has_one_scale() || how.axis == axis || how.axis + static_cast<int64_t>(rank) == axis;
}

bool has_bias(const model::Node& node) { return node.input.size() > 2 && !node.input[2].empty(); }

struct Operands {
  Dequantized x, w;
  size_t rank;  // of w
  Shape shape;
};
// The two operands of a product; the second one is constant.
std::optional<Operands> operands_of(const Region& region) {
  if (region.inputs.size() < 2) return std::nullopt;
  const Dequantized &x = region.inputs[0], &w = region.inputs[1];
  const Tensor* weight = region.graph.constant(w.q);
  if (!weight || !is_byte(x.how.type) || !is_byte(w.how.type) || !x.how.has_one_scale()) return std::nullopt;
  if (first_output(*region.graph.node(x.node)) != region.node.input[0]) return std::nullopt;
  if (first_output(*region.graph.node(w.node)) != region.node.input[1]) return std::nullopt;
  return Operands{x, w, weight->shape().size(), weight->shape()};
}

bool make_conv(Region& region) {
  const auto operands = operands_of(region);
  if (!operands || operands->rank < 3 || !scales_along(operands->w.how, 0, operands->rank)) return false;
  region.result.op_type = "QLinearConv";
  region.read(operands->x);
  region.read(operands->w);
  region.quantize_result();
  if (!has_bias(region.node)) return true;
  const auto channels = static_cast<size_t>(operands->shape[0]);
  const auto bias = integer_bias(region, region.node.input[2], units_of(operands->x.how, operands->w.how, channels, 1));
  if (bias) region.result.input.push_back(*bias);
  return bias.has_value();
}

bool make_matmul(Region& region) {
  const auto operands = operands_of(region);
  if (!operands || operands->rank != 2 || !scales_along(operands->w.how, 1, 2)) return false;
  region.result.op_type = "QLinearMatMul";
  region.read(operands->x);
  region.read(operands->w);
  region.quantize_result();
  return true;
}

bool make_gemm(Region& region) {
  const auto operands = operands_of(region);
  const model::Node& node = region.node;
  const int64_t axis = model::get_int(node, "transB", 0) != 0 ? 0 : 1;
  if (!operands || operands->rank != 2 || !scales_along(operands->w.how, axis, 2)) return false;
  const float alpha = model::get_float(node, "alpha", 1.0f);
  if (has_bias(node) && (model::get_float(node, "beta", 1.0f) != 1.0f || !(alpha > 0))) return false;
  region.result.op_type = "QGemm";
  region.result.domain = "com.microsoft";
  std::erase_if(region.result.attribute, [](const model::Attribute& a) { return a.name == "beta"; });
  region.read(operands->x);
  region.read(operands->w);
  std::string bias;
  if (has_bias(node)) {
    const auto columns = static_cast<size_t>(operands->shape[static_cast<size_t>(axis)]);
    const auto made = integer_bias(region, node.input[2], units_of(operands->x.how, operands->w.how, columns, static_cast<double>(alpha)));
    if (!made) return false;
    bias = *made;
  }
  region.result.input.push_back(bias);
  region.quantize_result();
  return true;
}

// Operators of com.microsoft that take all their tensors with one scale each, of one type.
bool make_same_type(Region& region) {
  if (region.inputs.size() != region.node.input.size() || !region.all_of_type(region.output.how.type)) return false;
  region.result.domain = "com.microsoft";
  region.result.op_type = "QLinear" + region.node.op_type;
  return true;
}

bool make_elementwise(Region& region) {
  if (!make_same_type(region)) return false;
  for (const Dequantized& input : region.inputs) region.read(input);
  region.quantize_result();
  return true;
}

bool make_concat(Region& region) {
  if (!make_same_type(region)) return false;
  region.quantize_result();
  for (const Dequantized& input : region.inputs) region.read(input);
  return true;
}

bool make_average_pool(Region& region) {
  const std::vector<int64_t> dilations = model::get_ints(region.node, "dilations");
  if (std::ranges::any_of(dilations, [](int64_t d) { return d != 1; }) || !make_elementwise(region)) return false;
  std::erase_if(region.result.attribute, [](const model::Attribute& a) { return a.name == "dilations"; });
  return true;
}

bool make_global_pool(Region& region) {
  if (!make_elementwise(region)) return false;
  region.result.attribute.push_back(model::Attribute::of("channels_last", 0));
  return true;
}

bool make_softmax(Region& region) {
  if (!make_elementwise(region)) return false;
  const int64_t opset = region.graph.opset(region.node.domain);
  if (!region.node.find_attribute("axis")) region.result.attribute.push_back(model::Attribute::of("axis", opset < 13 ? 1 : -1));
  region.result.attribute.push_back(model::Attribute::of("opset", opset));
  return true;
}

struct Row {
  std::string_view op_type;
  bool (*make)(Region& region);
};
constexpr std::array<Row, 11> kRows = {{{"Add", make_elementwise},
                                        {"AveragePool", make_average_pool},
                                        {"Concat", make_concat},
                                        {"Conv", make_conv},
                                        {"Gemm", make_gemm},
                                        {"GlobalAveragePool", make_global_pool},
                                        {"LeakyRelu", make_elementwise},
                                        {"MatMul", make_matmul},
                                        {"Mul", make_elementwise},
                                        {"Sigmoid", make_elementwise},
                                        {"Softmax", make_softmax}}};

}  // namespace

std::optional<Patch> fuse_quantized(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  const auto* row = std::ranges::find(kRows, std::string_view(node.op_type), &Row::op_type);
  if (row == kRows.end() || !is_onnx_domain(node.domain) || node.output.size() != 1) return std::nullopt;
  const std::optional<size_t> next = graph.sole_consumer(first_output(node));
  std::optional<Quantized> output = next ? quantized_by(graph, *next) : std::nullopt;
  if (!output || !output->how.has_one_scale()) return std::nullopt;
  Region region{graph, node, {}, std::move(*output), {.remove = {index, *next}}, node};
  for (const std::string& input : node.input) {
    if (auto found = dequantized(graph, input); found && is_byte(found->how.type)) region.inputs.push_back(std::move(*found));
  }
  region.result.input.clear();
  if (!row->make(region)) return std::nullopt;
  region.result.output = {region.output.q};
  retire(graph, region.inputs, index, region.patch);
  region.patch.add.push_back(std::move(region.result));
  return std::move(region.patch);
}

}  // namespace sardonyx::optimize
