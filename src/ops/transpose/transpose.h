// Transpose: any permutation of the dimensions, any element type.
#pragma once

#include "ops/movement/strided.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {

struct TransposeSpec {
  std::vector<int64_t> perm;
  bool reverse = false;  // no `perm`: the dimensions in reverse order
};

TransposeSpec transpose_spec_from_node(const model::Node& node, int64_t opset);

// The input seen in the order of the result. Throws InvalidArgument where perm is no permutation of x's dimensions.
StridedView transposed_view(const TransposeSpec& spec, const Shape& x);

}  // namespace sardonyx::ops
