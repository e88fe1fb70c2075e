#include <algorithm>

#include "ops/facts.h"
#include "ops/reduce/reduce.h"

namespace sardonyx::ops {
namespace {

struct KindRow {
  std::string_view op_type;
  ReduceKind kind;
};
constexpr KindRow kKinds[] = {
    {"ReduceL1", ReduceKind::kL1},   {"ReduceL2", ReduceKind::kL2},     {"ReduceLogSum", ReduceKind::kLogSum},
    {"ReduceMax", ReduceKind::kMax}, {"ReduceMean", ReduceKind::kMean}, {"ReduceLogSumExp", ReduceKind::kLogSumExp},
    {"ReduceMin", ReduceKind::kMin}, {"ReduceProd", ReduceKind::kProd}, {"ReduceSumSquare", ReduceKind::kSumSquare},
    {"ReduceSum", ReduceKind::kSum},
};

}  // namespace

ReduceSpec reduce_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  const auto* row = std::ranges::find(kKinds, std::string_view(node.op_type), &KindRow::op_type);
  if (row == std::end(kKinds)) throw unsupported_error("there is no kernel for {}", node.op_type);
  return {.kind = row->kind,
          .axes = model::get_ints(node, "axes"),
          .keep_dims = model::get_int(node, "keepdims", 1) != 0,
          .none_if_empty = model::get_int(node, "noop_with_empty_axes", 0) != 0};
}

std::vector<bool> reduced_axes(const ReduceSpec& spec, std::span<const int64_t> axes, size_t rank) {
  if (axes.empty()) return std::vector<bool>(rank, !spec.none_if_empty);
  return checked_axes(axes, rank);
}

Shape reduced_shape(const Shape& x, const std::vector<bool>& reduced, bool keep_dims) {
  Shape out;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!reduced[i]) {
      out.push_back(x[i]);
    } else if (keep_dims) {
      out.push_back(1);
    }
  }
  return out;
}

ArgSpec arg_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  return {.axis = model::get_int(node, "axis", 0),
          .keep_dims = model::get_int(node, "keepdims", 1) != 0,
          .last_index = model::get_int(node, "select_last_index", 0) != 0,
          .least = node.op_type == "ArgMin"};
}

}  // namespace sardonyx::ops
