// Types and shapes: what inference finds wrong, as problems with their place and chain.
#pragma once

#include "check/context.h"
#include "check/report.h"

namespace sardonyx::check {

// Leaves out what is found where an error stands already.
void check_inference(Reporter& reporter, const ModelContext& context);

}  // namespace sardonyx::check
