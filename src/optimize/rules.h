// The rules behind the list of passes; each in a file of its name.
#pragma once

#include "optimize/pass.h"

namespace sardonyx::optimize {

std::optional<Patch> remove_identity(const GraphView& graph, size_t node);
std::optional<Patch> fold_constants(const GraphView& graph, size_t node);
Rule merge_equal_nodes();
std::optional<Patch> fuse_pixel_shuffle(const GraphView& graph, size_t node);
std::optional<Patch> remove_dead(const GraphView& graph, size_t node);

// Quantised regions.
std::optional<Patch> remove_clipped_activation(const GraphView& graph, size_t node);
std::optional<Patch> move_dequantize(const GraphView& graph, size_t node);
std::optional<Patch> fuse_quantized(const GraphView& graph, size_t node);
std::optional<Patch> remove_requantize(const GraphView& graph, size_t node);
std::optional<Patch> fold_dequantized(const GraphView& graph, size_t node);

// Convolutions, products and their neighbours.
std::optional<Patch> fuse_group_norm(const GraphView& graph, size_t node);
std::optional<Patch> fuse_pad(const GraphView& graph, size_t node);
std::optional<Patch> fuse_batch_norm(const GraphView& graph, size_t node);
std::optional<Patch> fuse_scale(const GraphView& graph, size_t node);
std::optional<Patch> fuse_bias(const GraphView& graph, size_t node);
std::optional<Patch> fuse_residual(const GraphView& graph, size_t node);
std::optional<Patch> fuse_activation(const GraphView& graph, size_t node);

std::optional<Patch> fold_known_shapes(const GraphView& graph, size_t node);
std::optional<Patch> use_transposed_weights(const GraphView& graph, size_t node);
std::optional<Patch> split_sequence(const GraphView& graph, size_t node);
std::optional<Patch> merge_casts(const GraphView& graph, size_t node);
std::optional<Patch> merge_transposes(const GraphView& graph, size_t node);
std::optional<Patch> cancel_transposes(const GraphView& graph, size_t node);
std::optional<Patch> simplify_reshapes(const GraphView& graph, size_t node);
std::optional<Patch> remove_no_ops(const GraphView& graph, size_t node);
std::optional<Patch> fuse_attention(const GraphView& graph, size_t node);
std::optional<Patch> fuse_layer_norm(const GraphView& graph, size_t node);
std::optional<Patch> fuse_skip_layer_norm(const GraphView& graph, size_t node);
std::optional<Patch> fuse_gelu(const GraphView& graph, size_t node);
std::optional<Patch> fuse_swish(const GraphView& graph, size_t node);
std::optional<Patch> fuse_hard_swish(const GraphView& graph, size_t node);
std::optional<Patch> fuse_mish(const GraphView& graph, size_t node);
std::optional<Patch> fuse_matmul_transpose(const GraphView& graph, size_t node);
std::optional<Patch> fuse_matmul_scale(const GraphView& graph, size_t node);

// Layouts: what suits this machine.
Rule block_channels();

}  // namespace sardonyx::optimize
