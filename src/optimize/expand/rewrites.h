// The rewrites behind expand.cc; each in a file of its name.
#pragma once

#include "optimize/expand/graph_writer.h"

namespace sardonyx::optimize {

bool rewrite_flex_attention(const model::Model& model, size_t index, NodeWriter& writer);
bool rewrite_gradient(const model::Model& model, size_t index, NodeWriter& writer);

}  // namespace sardonyx::optimize
