// Running a node ahead of time, on constants.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "ops/op.h"

namespace sardonyx::optimize {

// Whether two runs on equal inputs give equal outputs: false for random operators and for Dropout while training.
// `opset`: the imported version of the node's domain.
bool is_deterministic(const model::Node& node, int64_t opset) noexcept;

// Whether the node holds graphs (If, Loop, Scan).
bool has_subgraph(const model::Node& node) noexcept;

// Bytes of all outputs; those of a dynamic step are not known yet and count nothing.
size_t output_bytes(const ops::Bound& bound);

// Binds and runs on inputs that are all known (null: absent). Nothing is computed, and nullopt returned, if the outputs would take more
// than `max_bytes` together.
std::optional<std::vector<Tensor>> run_on_constants(const ops::Prepared& prepared, std::span<const Tensor* const> inputs, size_t max_bytes,
                                                    core::ThreadPool& pool);

}  // namespace sardonyx::optimize
