// Constant (every kind of value but sparse ones), ConstantOfShape, Range.
#pragma once

#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

// The value of a Constant node. Throws InvalidModel where there is none.
Tensor constant_from_node(const model::Node& node, int64_t opset);

// The one-element tensor that ConstantOfShape repeats.
Tensor fill_value_from_node(const model::Node& node, int64_t opset);

// The number of elements of Range: ceil((limit - start) / delta), at least 0. Throws InvalidArgument for a delta of 0 or not-a-number,
// ResourceLimit where there would be too many.
int64_t range_count(double start, double limit, double delta);
int64_t range_count(int64_t start, int64_t limit, int64_t delta);

}  // namespace sardonyx::ops
