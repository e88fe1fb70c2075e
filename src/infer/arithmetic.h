// Arithmetic on sizes that may be symbols. What cannot be told is unknown; what contradicts fails with the node's context.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "infer/context.h"

namespace sardonyx::infer {

// Unknown where the result does not fit int64.
Dim add(Dim a, Dim b);
Dim subtract(Dim a, Dim b);
Dim multiply(Dim a, Dim b);
Dim divide_floor(Dim a, Dim b);          // rounds down; unknown for a divisor of 0
Dim product(std::span<const Dim> dims);  // 1 for none; 0 if any is 0
// How many of first, first + step, first + 2 * step, ... come before `end`, going up or, by a negative step, down. A step of 0: none.
Dim count_steps(int64_t first, int64_t end, int64_t step);

// The one size that both must be. `what` names them in the error: "dimension 1 of the inputs".
Dim merge(const NodeContext& context, Dim a, Dim b, std::string_view what);
Dims merge(const NodeContext& context, const Dims& a, const Dims& b, std::string_view what);

// NumPy's broadcasting, as ONNX defines it (docs/Broadcasting.md).
Dims broadcast(const NodeContext& context, const Dims& a, const Dims& b);
// Of all the node's inputs given in [first, last); nothing if one's rank is unknown.
std::optional<Dims> broadcast_inputs(const NodeContext& context, size_t first, size_t last);

}  // namespace sardonyx::infer
