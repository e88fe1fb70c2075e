// How rules read what a node is told by attributes or by inputs: lists of integers, axes, shapes, element types.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "infer/arithmetic.h"
#include "infer/context.h"

namespace sardonyx::infer {

// A list of integers as far as it is known.
struct ListOperand {
  bool is_given = false;
  std::optional<std::vector<int64_t>> values;
  std::optional<size_t> count;  // may be known where the values are not
};
ListOperand list_attribute(const NodeContext& context, std::string_view name);
ListOperand list_input(const NodeContext& context, size_t input);
// From the attribute if the node has it, else from the input.
ListOperand list_operand(const NodeContext& context, std::string_view attribute, size_t input);

// Axes within [-rank, rank) as axes within [0, rank), in the order given; fails for others.
std::vector<size_t> resolve_axes(const NodeContext& context, const std::vector<int64_t>& axes, size_t rank);
// Fails for repeated ones too.
std::vector<size_t> resolve_distinct_axes(const NodeContext& context, const std::vector<int64_t>& axes, size_t rank);
std::vector<size_t> all_axes(size_t rank);

// The shape that the elements of an input spell: unknown sizes where only their number is known, nothing where not even that is.
std::optional<Dims> shape_operand(const NodeContext& context, size_t input, std::string_view name);

// The one whole number that an input of rank 0, or of one element, holds; unknown if it is not known.
Dim scalar_operand(const NodeContext& context, size_t input);

// The element type that an attribute names by its number; fails for one that there is not.
DType dtype_attribute(const NodeContext& context, std::string_view name, DType fallback);

}  // namespace sardonyx::infer
