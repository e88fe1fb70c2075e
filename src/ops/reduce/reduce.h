// ReduceSum and its relatives, ArgMax and ArgMin. Axes come as an attribute (older versions) or an input.
#pragma once

#include <optional>

#include "ops/op.h"

namespace sardonyx::ops {

enum class ReduceKind { kL1, kL2, kLogSum, kLogSumExp, kMax, kMean, kMin, kProd, kSum, kSumSquare };

struct ReduceSpec {
  ReduceKind kind = ReduceKind::kSum;
  std::vector<int64_t> axes;
  bool keep_dims = true;
  bool none_if_empty = false;  // no axes: none is reduced, instead of all
};
ReduceSpec reduce_spec_from_node(const model::Node& node, int64_t opset);

// Which dimensions are reduced.
std::vector<bool> reduced_axes(const ReduceSpec& spec, std::span<const int64_t> axes, size_t rank);
Shape reduced_shape(const Shape& x, const std::vector<bool>& reduced, bool keep_dims);

struct ArgSpec {
  int64_t axis = 0;
  bool keep_dims = true;
  bool last_index = false;
  bool least = false;  // ArgMin
};
ArgSpec arg_spec_from_node(const model::Node& node, int64_t opset);

}  // namespace sardonyx::ops
