#include <algorithm>
#include <array>

#include "ops/elementwise/unary.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

struct ParamsRow {
  std::string_view op_type;
  float alpha, beta;  // defaults of the attributes `alpha` and `beta`
};
constexpr ParamsRow kParams[] = {
    {"Elu", 1.0f, 0.0f},
    {"HardSigmoid", 0.2f, 0.5f},
    {"LeakyRelu", 0.01f, 0.0f},
};

// Negation wraps around, as two's complement does.
int64_t wrapping_negate(int64_t x) { return static_cast<int64_t>(uint64_t{0} - static_cast<uint64_t>(x)); }

struct IntegerRow {
  std::string_view op_type;
  int64_t (*on_signed)(int64_t x);
  uint64_t (*on_unsigned)(uint64_t x);
};
constexpr IntegerRow kOnIntegers[] = {
    {"Abs", [](int64_t x) { return x < 0 ? wrapping_negate(x) : x; }, [](uint64_t x) { return x; }},
    {"Neg", wrapping_negate, nullptr},
    {"Relu", [](int64_t x) { return std::max<int64_t>(x, 0); }, nullptr},
};

}  // namespace

UnarySpec unary_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  UnarySpec spec;
  const auto rows = kernels::unary_rows();
  const auto row = std::ranges::find(rows, std::string_view(node.op_type), &kernels::UnaryRow::name);
  if (row == rows.end()) throw unsupported_error("there is no kernel for the function {}", node.op_type);
  spec.row = &*row;
  const auto* params = std::ranges::find(kParams, std::string_view(node.op_type), &ParamsRow::op_type);
  if (params != std::end(kParams)) {
    spec.params = {model::get_float(node, "alpha", params->alpha), model::get_float(node, "beta", params->beta)};
  }
  const auto* integers = std::ranges::find(kOnIntegers, std::string_view(node.op_type), &IntegerRow::op_type);
  if (integers != std::end(kOnIntegers)) {
    spec.on_signed = integers->on_signed;
    spec.on_unsigned = integers->on_unsigned;
  }
  return spec;
}

}  // namespace sardonyx::ops
