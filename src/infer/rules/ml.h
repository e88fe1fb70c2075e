// What the rules of ai.onnx.ml share.
#pragma once

#include <cstddef>
#include <string_view>

#include "infer/context.h"

namespace sardonyx::infer {

// The number of rows of an input [N, C] or [C]: N or 1; unknown where the rank is neither 1 nor 2.
Dim ml_rows(const NodeContext& context, size_t input);
// The number of entries of a list; 0 if the attribute is missing.
size_t list_length(const NodeContext& context, std::string_view name);

}  // namespace sardonyx::infer
