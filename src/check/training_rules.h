// What must hold for training information: its graphs, and the bindings between their outputs and initializers.
#pragma once

#include "check/context.h"
#include "check/names.h"
#include "check/report.h"

namespace sardonyx::check {

// `main`: the values of the model's graph, which the algorithm's nodes may use.
void check_training(Reporter& reporter, const NodeContext& context, const NameScope& main);

}  // namespace sardonyx::check
