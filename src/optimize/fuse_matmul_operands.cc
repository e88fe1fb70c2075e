// Lets a matrix product read its operands as they lie before a Transpose of their last two dimensions, and scale its result.
#include <algorithm>
#include <cmath>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

bool is_product(const model::Node& node) {
  return (is_onnx_node(node, "MatMul") || (node.op_type == "FusedMatMul" && !is_onnx_domain(node.domain))) && node.input.size() >= 2;
}

// The product with an attribute set.
model::Node with_attribute(const model::Node& node, model::Attribute attribute) {
  model::Node result = node;
  if (is_onnx_domain(node.domain)) result.domain = "com.microsoft", result.op_type = "FusedMatMul";
  std::erase_if(result.attribute, [&](const model::Attribute& old) { return old.name == attribute.name; });
  result.attribute.push_back(std::move(attribute));
  return result;
}

// Whether the permutation swaps the last two of `rank` dimensions and nothing else.
bool swaps_last(const std::vector<int64_t>& perm) {
  const size_t rank = perm.size();
  for (size_t i = 0; i + 2 < rank; ++i) {
    if (perm[i] != static_cast<int64_t>(i)) return false;
  }
  return rank >= 2 && perm[rank - 2] == static_cast<int64_t>(rank - 1);
}

std::optional<Patch> without_transpose(const GraphView& graph, size_t index, size_t operand) {
  const model::Node& node = *graph.node(index);
  const auto found = made_by(graph, node.input[operand], "Transpose");
  if (!found || graph.sole_consumer(node.input[operand]) != index) return std::nullopt;
  const model::Node& transpose = *graph.node(*found);
  const auto own_rank = rank(graph, node.input[operand]);
  const auto perm = model::get_ints(transpose, "perm", own_rank == 2 ? std::vector<int64_t>{1, 0} : std::vector<int64_t>{});
  if (!swaps_last(perm)) return std::nullopt;
  const char* name = operand == 0 ? "transA" : "transB";
  model::Node fused = with_attribute(node, model::Attribute::of(name, model::get_int(node, name, 0) == 0 ? 1 : 0));
  fused.input[operand] = transpose.input.at(0);
  Patch patch{.remove = {index, *found}};
  patch.add.push_back(std::move(fused));
  return patch;
}

// The operand of a scaling by a constant, and the factor.
std::optional<std::pair<std::string, double>> scaling_of(const GraphView& graph, const model::Node& node) {
  const bool multiplies = is_onnx_node(node, "Mul");
  if ((!multiplies && !is_onnx_node(node, "Div")) || node.input.size() != 2) return std::nullopt;
  for (size_t i = 0; i < (multiplies ? 2 : 1); ++i) {
    const auto factor = factor_for(graph, node.input[1 - i], node.input[i]);
    if (factor && *factor != 0) return std::pair(node.input[i], multiplies ? *factor : 1 / *factor);
  }
  return std::nullopt;
}

std::optional<Patch> scaled(const GraphView& graph, size_t index, size_t scaling, double factor) {
  const model::Node& node = *graph.node(index);
  const double alpha = static_cast<double>(model::get_float(node, "alpha", 1)) * factor;
  const DType dtype = graph.dtype(first_output(node));
  const bool fits =
      dtype == DType::kFloat64 ? static_cast<double>(static_cast<float>(alpha)) == alpha : std::isnormal(static_cast<float>(alpha));
  if (!fits) return graph.refuse(index, "FusedMatMul: the factor is no float");
  Patch patch{.remove = {index, scaling}};
  patch.add.push_back(with_attribute(node, model::Attribute::of("alpha", static_cast<float>(alpha))));
  return patch;
}

}  // namespace

std::optional<Patch> fuse_matmul_transpose(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (!is_product(node) || !is_float_type(graph.dtype(node.input[0]))) return std::nullopt;
  auto patch = without_transpose(graph, index, 1);
  return patch ? std::move(patch) : without_transpose(graph, index, 0);
}

std::optional<Patch> fuse_matmul_scale(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (!is_product(node) || node.input.size() > 2 || !is_float_type(graph.dtype(node.input[0]))) return std::nullopt;
  for (size_t operand = 0; operand < 2; ++operand) {
    const auto producer = graph.producer(node.input[operand]);
    const auto scaling =
        producer && graph.sole_consumer(node.input[operand]) == index ? scaling_of(graph, *graph.node(*producer)) : std::nullopt;
    auto patch = scaling ? scaled(graph, index, *producer, scaling->second) : std::nullopt;
    if (!patch) continue;
    patch->add[0].input[operand] = scaling->first;
    return patch;
  }
  const auto next = graph.sole_consumer(first_output(node));
  const auto scaling = next ? scaling_of(graph, *graph.node(*next)) : std::nullopt;
  auto patch = scaling && scaling->first == first_output(node) ? scaled(graph, index, *next, scaling->second) : std::nullopt;
  if (patch) patch->add[0].output = {first_output(*graph.node(*next))};
  return patch;
}

// Of constant weights, which are packed once from where they lie, so that no transposed copy is made; the bits stay the same.
std::optional<Patch> use_transposed_weights(const GraphView& graph, size_t index) {
  constexpr size_t kWorthIt = size_t{1} << 14;  // bytes; smaller ones may as well be folded
  const model::Node& node = *graph.node(index);
  if ((!is_product(node) && !is_onnx_node(node, "Gemm")) || node.input.size() < 2) return std::nullopt;
  const auto found = made_by(graph, node.input[1], "Transpose");
  const Tensor* weight = found ? graph.constant(graph.node(*found)->input.at(0)) : nullptr;
  if (!weight || weight->dim() != 2 || weight->dtype() != DType::kFloat32 || weight->byte_size() < kWorthIt) return std::nullopt;
  if (!swaps_last(model::get_ints(*graph.node(*found), "perm", {1, 0}))) return std::nullopt;
  const auto swapped = model::Attribute::of("transB", model::get_int(node, "transB", 0) == 0 ? 1 : 0);
  Patch patch{.remove = {index}};
  if (is_onnx_node(node, "Gemm")) {
    patch.add.push_back(node);
    std::erase_if(patch.add[0].attribute, [](const model::Attribute& old) { return old.name == "transB"; });
    patch.add[0].attribute.push_back(swapped);
  } else {
    patch.add.push_back(with_attribute(node, swapped));
  }
  patch.add[0].input[1] = graph.node(*found)->input[0];
  return patch;
}

}  // namespace sardonyx::optimize
