#include "optimize/pad_amounts.h"

#include <algorithm>

#include "optimize/pass.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kAmountsAreInputs = 11;

std::optional<std::vector<int64_t>> constant_integers(const GraphView& graph, const std::string& value) {
  const Tensor* constant = graph.constant(value);
  if (!constant || (constant->dtype() != DType::kInt64 && constant->dtype() != DType::kInt32)) return std::nullopt;
  const Tensor wide = constant->to(DType::kInt64);
  return std::vector<int64_t>(wide.values<int64_t>().begin(), wide.values<int64_t>().end());
}

std::optional<double> pad_value(const GraphView& graph, const model::Node& pad) {
  if (graph.opset(pad.domain) < kAmountsAreInputs) return static_cast<double>(model::get_float(pad, "value", 0));
  if (pad.input.size() < 3 || pad.input[2].empty()) return 0.0;
  const Tensor* constant = graph.constant(pad.input[2]);
  if (!constant || constant->numel() != 1 || !is_floating_point(constant->dtype())) return std::nullopt;
  return constant->to(DType::kFloat64).values<double>()[0];
}

// Begins of all dimensions, then ends.
std::optional<std::vector<int64_t>> amounts_of(const GraphView& graph, const model::Node& pad, size_t rank) {
  const int64_t opset = graph.opset(pad.domain);
  if (opset < kAmountsAreInputs) return model::get_ints(pad, opset < 2 ? "paddings" : "pads");
  if (pad.input.size() < 2) return std::nullopt;
  const std::optional<std::vector<int64_t>> given = constant_integers(graph, pad.input[1]);
  if (!given || pad.input.size() < 4 || pad.input[3].empty()) return given;
  const std::optional<std::vector<int64_t>> axes = constant_integers(graph, pad.input[3]);
  if (!axes || given->size() != 2 * axes->size()) return std::nullopt;
  std::vector<int64_t> amounts(2 * rank);
  for (size_t i = 0; i < axes->size(); ++i) {
    const int64_t axis = (*axes)[i] < 0 ? (*axes)[i] + static_cast<int64_t>(rank) : (*axes)[i];
    if (axis < 0 || axis >= static_cast<int64_t>(rank)) return std::nullopt;
    amounts[static_cast<size_t>(axis)] = (*given)[i];
    amounts[static_cast<size_t>(axis) + rank] = (*given)[i + axes->size()];
  }
  return amounts;
}

}  // namespace

std::optional<PadAmounts> pad_amounts(const GraphView& graph, const model::Node& node, size_t rank) {
  if (node.op_type != "Pad" || !is_onnx_domain(node.domain) || rank < 3) return std::nullopt;
  if (model::get_string(node, "mode", "constant") != "constant") return std::nullopt;
  const std::optional<std::vector<int64_t>> amounts = amounts_of(graph, node, rank);
  const std::optional<double> value = pad_value(graph, node);
  if (!amounts || !value || amounts->size() != 2 * rank) return std::nullopt;
  if (std::ranges::any_of(*amounts, [](int64_t amount) { return amount < 0; })) return std::nullopt;
  const auto at = [&](size_t i) { return amounts->begin() + static_cast<ptrdiff_t>(i); };
  for (const size_t i : {size_t{0}, size_t{1}, rank, rank + 1}) {
    if ((*amounts)[i] != 0) return std::nullopt;
  }
  return PadAmounts{{at(2), at(rank)}, {at(rank + 2), amounts->end()}, *value};
}

}  // namespace sardonyx::optimize
