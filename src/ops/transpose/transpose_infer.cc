#include "ops/facts.h"
#include "ops/transpose/transpose.h"

namespace sardonyx::ops {

TransposeSpec transpose_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  return {.perm = model::get_ints(node, "perm"), .reverse = !node.find_attribute("perm")};
}

StridedView transposed_view(const TransposeSpec& spec, const Shape& x) {
  const size_t rank = x.size();
  if (!spec.reverse && spec.perm.size() != rank) {
    throw argument_error("attribute perm is {}; the input has shape {}", to_string(spec.perm), to_string(x));
  }
  if (!spec.reverse) checked_axes(spec.perm, rank);
  const StridedView own = contiguous_view(x);
  StridedView view;
  for (size_t i = 0; i < rank; ++i) {
    const size_t from = spec.reverse ? rank - 1 - i : checked_axis(spec.perm[i], rank);
    view.shape.push_back(x[from]);
    view.stride.push_back(own.stride[from]);
  }
  return view;
}

}  // namespace sardonyx::ops
