// Functions of a model, before it is loaded.
#pragma once

#include "sardonyx/model.h"

namespace sardonyx {

// The model without functions of its own: calls of those that a kernel of ours stands for become plain nodes, all others are inlined.
model::Model flatten(model::Model model);

}  // namespace sardonyx
