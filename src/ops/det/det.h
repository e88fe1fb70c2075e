// Stacks of square matrices, in the last two dimensions.
#pragma once

#include "ops/op.h"

namespace sardonyx::ops {

// Input X of a node on square matrices of floats; throws InvalidArgument for anything else.
const ValueFacts& square_matrices(const BindContext& context);

}  // namespace sardonyx::ops
