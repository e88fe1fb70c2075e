// The rules behind the list of passes; each in a file of its name.
#pragma once

#include "optimize/pass.h"

namespace sardonyx::optimize {

std::optional<Patch> remove_identity(const GraphView& graph, size_t node);
std::optional<Patch> fold_constants(const GraphView& graph, size_t node);
Rule merge_equal_nodes();
std::optional<Patch> fuse_pixel_shuffle(const GraphView& graph, size_t node);
std::optional<Patch> remove_dead(const GraphView& graph, size_t node);
std::optional<Patch> fuse_conv_batch_norm(const GraphView& graph, size_t node);
std::optional<Patch> fuse_bias(const GraphView& graph, size_t node);
std::optional<Patch> fuse_conv_activation(const GraphView& graph, size_t node);

}  // namespace sardonyx::optimize
