// Scatter, ScatterElements and ScatterND: a copy of the data in which updates replace elements or are combined with them.
//
// Updates of one element follow each other in the order of the indices, so that the last one wins.
#pragma once

#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

enum class Reduction { kNone, kAdd, kMul, kMax, kMin };

// Throws InvalidModel for a reduction that the version of the operator does not have.
Reduction reduction_from_node(const model::Node& node, int64_t opset);

// Combines runs of elements: to[i] = reduce(to[i], from[i]). Null for types without arithmetic, unless nothing is reduced.
using CombineRun = void (*)(const void* from, void* to, size_t count);
CombineRun combine_run(Reduction reduction, DType dtype);

}  // namespace sardonyx::ops
