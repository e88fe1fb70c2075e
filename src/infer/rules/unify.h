// Sizes that several inputs share: each input adds what it knows of them, and contradicts or agrees.
#pragma once

#include <initializer_list>
#include <string_view>

#include "infer/arithmetic.h"

namespace sardonyx::infer {

// Merges the dimensions of an input into `dims`, one for each of its dimensions. An input that is left out, or whose rank is not known,
// tells nothing. Fails if the rank is another or a size contradicts what is known already.
void unify(const NodeContext& context, size_t input, std::string_view name, std::initializer_list<Dim*> dims);

// The number that a scalar input of integers is, if it is known. Fails if a constant is no scalar.
Dim scalar_input(const NodeContext& context, size_t input, std::string_view name);

// Where both describe the same size: the better known one. Says nothing of contradictions.
constexpr Dim better_known(Dim a, Dim b) { return a.is_known() || (a.is_symbol() && !b.is_known()) ? a : b; }

}  // namespace sardonyx::infer
