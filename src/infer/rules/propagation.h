// How elements of small tensors, the sizes and indices of shape arithmetic, pass through operators.
//
// They are integers. Tensors of floats have them too where they are whole numbers that the type holds exactly.
#pragma once

#include <optional>
#include <span>

#include "infer/arithmetic.h"
#include "infer/context.h"

namespace sardonyx::infer {

// Elements of an input of rank 0 or 1; those of constant floats too, unknown where they are no whole numbers.
std::optional<Dims> elements_of(const NodeContext& context, size_t input);
// Also of one whose number of elements alone is known: as many unknown ones.
std::optional<Dims> elements_or_unknown(const NodeContext& context, size_t input);

// The number as an element of that type; unknown if the type does not hold it exactly. Sizes of tensors fit types of 32 and more bits.
Dim fit(Dim element, DType dtype);

// Sets an output's elements, as far as its element type holds them, if its rank is known to be 0 or 1 and not all of them are unknown.
void put_elements(NodeContext& context, size_t output, Dims elements);

using UnaryElement = Dim (*)(Dim);
using BinaryElement = Dim (*)(Dim, Dim);
// Output 0's elements from those of input 0, or from those of all inputs from the first to the last, broadcast.
void propagate_unary(NodeContext& context, UnaryElement function);
void propagate_nary(NodeContext& context, BinaryElement function);

// How many elements lists broadcast to; nothing if they cannot.
std::optional<size_t> broadcast_count(std::span<const Dims> lists);
// Element i of a list that is broadcast.
inline Dim broadcast_element(const Dims& list, size_t i) { return list[list.size() == 1 ? 0 : i]; }

// A model's list of ints; nothing for long ones.
Elements elements_of(const std::vector<int64_t>& values);

}  // namespace sardonyx::infer
