// Operators that give the same elements another shape: Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout (at inference).
#pragma once

#include <optional>

#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

// The shape that Reshape gives: 0 copies the input's size unless `allow_zero`, one -1 is inferred. Throws InvalidArgument.
Shape reshape_shape(std::span<const int64_t> x, std::span<const int64_t> wanted, bool allow_zero);

// Two dimensions: the product of the sizes before `axis` and from it on.
Shape flatten_shape(std::span<const int64_t> x, int64_t axis);

// Without `axes`: all sizes of 1 go.
Shape squeeze_shape(std::span<const int64_t> x, const std::optional<std::vector<int64_t>>& axes);
// `axes` count in the result.
Shape unsqueeze_shape(std::span<const int64_t> x, std::span<const int64_t> axes);

}  // namespace sardonyx::ops
