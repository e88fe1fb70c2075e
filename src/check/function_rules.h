// What must hold for the functions of a model: each has a name of its own, a sound body, and does not reach itself.
#pragma once

#include "check/context.h"
#include "check/report.h"

namespace sardonyx::check {

void check_functions(Reporter& reporter, const ModelContext& context);

}  // namespace sardonyx::check
