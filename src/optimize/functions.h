// What the operators of our own domain compute, in standard operators: functions that a saved model carries, so that any ONNX runtime can
// run it. Our own loader takes the kernel instead.
#pragma once

#include "sardonyx/model.h"

namespace sardonyx::optimize {

// Gives each node of ai.sardonyx in the main graph the function (told apart by its overload) that says what it computes, and the model the
// IR version and opsets that this takes. Functions of that domain that are there already go. Throws Unsupported for an operator that
// standard operators cannot say.
void add_functions(model::Model& model);

// Takes those functions out again whose operator has a kernel.
void drop_functions_with_kernel(model::Model& model);

}  // namespace sardonyx::optimize
