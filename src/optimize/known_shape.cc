#include "optimize/known_shape.h"

#include <algorithm>

namespace sardonyx::optimize {

std::optional<size_t> known_rank(const GraphView& graph, const std::string& value) {
  const model::TensorType* type = graph.type(value);
  return type && type->has_shape ? std::optional(type->shape.dims.size()) : std::nullopt;
}

bool known_same_shape(const GraphView& graph, const std::string& a, const std::string& b) {
  const model::TensorType *left = graph.type(a), *right = graph.type(b);
  if (!left || !right || !left->has_shape || !right->has_shape) return false;
  if (left->elem_type != right->elem_type || left->shape.dims.size() != right->shape.dims.size()) return false;
  return std::ranges::equal(left->shape.dims, right->shape.dims, [](const model::Dimension& x, const model::Dimension& y) {
    return (x.is_known() || x.is_symbol()) && x.value == y.value;
  });
}

}  // namespace sardonyx::optimize
