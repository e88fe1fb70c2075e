#include <algorithm>

#include "ops/elementwise/binary.h"

namespace sardonyx::ops {

BinarySpec binary_spec_from_node(const model::Node& node, int64_t opset) {
  BinarySpec spec;
  const auto rows = binary_rows();
  const auto row = std::ranges::find(rows, std::string_view(node.op_type), &BinaryRow::op_type);
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

}  // namespace sardonyx::ops
