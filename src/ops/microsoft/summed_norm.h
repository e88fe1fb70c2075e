// Layer normalisation of sums: rows along the last dimension are added up and each is normalised. What SkipLayerNormalization,
// SkipSimplifiedLayerNormalization and EmbedLayerNormalization of com.microsoft end in, for float and double.
#pragma once

#include "ops/norm/row_norm.h"
#include "ops/op.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {

// Inputs and outputs of the node by their numbers.
struct SummedNormPlaces {
  static constexpr size_t kNone = SIZE_MAX;
  size_t scale, shift = kNone;
  size_t mean = kNone, factor = kNone, sum = kNone;  // outputs beside output 0
};

struct SummedNorm {
  RowNorm norm;
  SummedNormPlaces places;
  DType dtype;

  // The tensor that takes the sums: its own output, or else output 0.
  Tensor& sums(const RunContext& r) const;
  // Normalises sums() into output 0.
  void run(const RunContext& r) const;
};

// Rows of x's last dimension; scale and shift must have its size. Throws InvalidModel for a negative epsilon.
SummedNorm bind_summed_norm(const BindContext& b, const Shape& x, DType dtype, float epsilon, const SummedNormPlaces& places);

// Attribute epsilon, which must not be negative.
float epsilon_from_node(const model::Node& node);

}  // namespace sardonyx::ops
