#include <algorithm>

#include "ops/elementwise/binary.h"

namespace sardonyx::ops {

namespace {

std::string variant_of(const model::Node& node) {
  if (node.op_type == "Mod") return model::get_int(node, "fmod", 0) != 0 ? "fmod" : "";
  if (node.op_type != "BitShift") return {};
  std::string direction = model::get_string(node, "direction", "");
  if (direction != "LEFT" && direction != "RIGHT") throw model_error("attribute direction is '{}'; it must be LEFT or RIGHT", direction);
  return direction;
}

}  // namespace

BinarySpec binary_spec_from_node(const model::Node& node, int64_t opset) {
  BinarySpec spec;
  const auto rows = binary_rows();
  const std::string variant = variant_of(node);
  const auto row = std::ranges::find_if(rows, [&](const BinaryRow& r) { return r.op_type == node.op_type && r.variant == variant; });
  if (row == rows.end()) throw unsupported_error("there is no kernel for the function {}", node.op_type);
  spec.row = &*row;
  if (opset >= 7) return spec;
  if (node.op_type == "PRelu") {  // one slope, or one for each channel
    spec.axis = 1;
    return spec;
  }
  spec.strict = model::get_int(node, "broadcast", 0) == 0;
  if (node.find_attribute("axis")) spec.axis = model::get_int(node, "axis", 0);
  return spec;
}

bool divides_integers(const BinaryRow& row, DType dtype) noexcept {
  return (row.op_type == "Div" || row.op_type == "Mod") && is_integral(dtype);
}

Shape binary_b_shape(const BinarySpec& spec, const Shape& a, const Shape& b) {
  if (spec.strict && a != b) {
    throw argument_error("A has shape {}, B has {}; before opset 7 they must be equal unless attribute broadcast is 1", to_string(a),
                         to_string(b));
  }
  if (!spec.axis || spec.strict || element_count(b) == 1) return b;
  const size_t axis = checked_axis(*spec.axis, a.size());
  if (axis + b.size() > a.size())
    throw argument_error("B of shape {} does not fit A of shape {} from axis {}", to_string(b), to_string(a), axis);
  Shape result = b;
  result.resize(a.size() - axis, 1);
  return result;
}

kernels::BroadcastShape collapsed_broadcast(std::span<const int64_t> a, std::span<const int64_t> b) {
  kernels::BroadcastShape shape;
  // An empty result is never computed, and may have sizes whose product no integer holds.
  if (element_count(broadcast(a, b)) == 0 || kernels::collapse_broadcast(a, b, shape)) return shape;
  throw unsupported_error("shapes {} and {} need more than {} dimensions to broadcast", to_string(a), to_string(b),
                          kernels::kMaxBroadcastRank);
}

}  // namespace sardonyx::ops
