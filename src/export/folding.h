// What an export computes ahead: batch normalisation within the convolution before it, and nodes that depend on constants alone.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/trace.h"
#include "sardonyx/model.h"

namespace sardonyx::exporter {

// A convolution that takes a batch normalisation in.
struct FoldedNorm {
  size_t conv = 0, norm = 0;  // indices into Trace::ops
  Tensor weight, bias;
};

// The pairs of a trace that can be folded: evaluation mode, constant weights that nothing else uses, the convolution's result used by the
// normalisation alone.
std::vector<FoldedNorm> find_foldable_norms(const nn::Trace& trace);

// Replaces nodes whose inputs are all initializers that no feed can replace by initializers, unless that makes the model larger by more
// than a little; then drops initializers that nothing uses. Nodes that no kernel here can compute stay.
void fold_constants(model::Graph& graph, int64_t opset);

// Drops initializers that no node and no output uses.
void drop_unused_initializers(model::Graph& graph);

}  // namespace sardonyx::exporter
