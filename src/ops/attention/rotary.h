// RotaryEmbedding: what its versions share.
#pragma once

#include "kernels/cpu/attention/rotary.h"
#include "ops/facts.h"
#include "ops/op.h"

namespace sardonyx::ops {

struct RotarySpec {
  int64_t heads = 0, rotated = 0;  // 0: not given
  bool interleaved = false;
};
RotarySpec rotary_spec_from_node(const model::Node& node);

// Strides and sizes of an input of rank 4 (batch, heads, tokens, size) or 3 (batch, tokens, heads * size). Throws InvalidArgument.
kernels::RotaryShape rotary_shape(const RotarySpec& spec, const Shape& x);

// Throws InvalidArgument where a position is not in [0, rows).
void check_positions(std::span<const int64_t> positions, int64_t rows);

}  // namespace sardonyx::ops
