#include <algorithm>
#include <array>

#include "ops/elementwise/unary.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

struct ParamsRow {
  std::string_view op_type;
  const char* alpha_name;
  float alpha;
  const char* beta_name = nullptr;
  float beta = 0.0f;
};
constexpr ParamsRow kParams[] = {
    {"Celu", "alpha", 1.0f},
    {"Elu", "alpha", 1.0f},
    {"HardSigmoid", "alpha", 0.2f, "beta", 0.5f},
    {"LeakyRelu", "alpha", 0.01f},
    {"QuickGelu", "alpha", 1.702f},
    {"Selu", "alpha", 1.67326319217681884765625f, "gamma", 1.05070102214813232421875f},
    {"Shrink", "lambd", 0.5f, "bias", 0.0f},
    {"Swish", "alpha", 1.0f},
    {"ThresholdedRelu", "alpha", 1.0f},
};

kernels::UnaryParams params_from_node(const ParamsRow& row, const model::Node& node, int64_t opset) {
  const bool is_rounded = row.op_type == "Selu" && opset < 6;  // the constants had fewer digits
  kernels::UnaryParams params = {model::get_float(node, row.alpha_name, is_rounded ? 1.6732f : row.alpha), row.beta};
  if (row.beta_name) params.beta = model::get_float(node, row.beta_name, is_rounded ? 1.0507f : row.beta);
  return params;
}

// The row's name: the operator's, unless an attribute chooses another function or com.microsoft calls it otherwise.
std::string_view function_of(const model::Node& node) {
  if (node.op_type == "QuickGelu") return "Swish";
  if (node.op_type == "FastGelu") return "GeluTanh";
  if (node.op_type != "Gelu") return node.op_type;
  const std::string approximate = model::get_string(node, "approximate", "none");
  if (approximate == "none") return "Gelu";
  if (approximate == "tanh") return "GeluTanh";
  throw model_error("attribute approximate is '{}'; it must be none or tanh", approximate);
}

// Negation wraps around, as two's complement does.
int64_t wrapping_negate(int64_t x) { return static_cast<int64_t>(uint64_t{0} - static_cast<uint64_t>(x)); }

struct IntegerRow {
  std::string_view op_type;
  int64_t (*on_signed)(int64_t x);
  uint64_t (*on_unsigned)(uint64_t x);
};
constexpr IntegerRow kOnIntegers[] = {
    {"Abs", [](int64_t x) { return x < 0 ? wrapping_negate(x) : x; }, [](uint64_t x) { return x; }},
    {"BitwiseNot", [](int64_t x) { return ~x; }, [](uint64_t x) { return ~x; }},
    {"Neg", wrapping_negate, nullptr},
    {"Relu", [](int64_t x) { return std::max<int64_t>(x, 0); }, nullptr},
    {"Sign", [](int64_t x) { return int64_t{x > 0} - int64_t{x < 0}; }, [](uint64_t x) { return uint64_t{x > 0}; }},
};

}  // namespace

UnarySpec unary_spec_from_node(const model::Node& node, int64_t opset) {
  UnarySpec spec;
  const auto rows = kernels::unary_rows();
  const auto row = std::ranges::find(rows, function_of(node), &kernels::UnaryRow::name);
  if (row != rows.end()) spec.row = &*row;
  const auto* params = std::ranges::find(kParams, std::string_view(node.op_type), &ParamsRow::op_type);
  if (params != std::end(kParams)) spec.params = params_from_node(*params, node, opset);
  const auto* integers = std::ranges::find(kOnIntegers, std::string_view(node.op_type), &IntegerRow::op_type);
  if (integers != std::end(kOnIntegers)) {
    spec.on_signed = integers->on_signed;
    spec.on_unsigned = integers->on_unsigned;
  }
  spec.integers_in_double = node.op_type == "Shrink";
  if (!spec.row && !spec.on_signed) throw unsupported_error("there is no kernel for the function {}", node.op_type);
  return spec;
}

}  // namespace sardonyx::ops
