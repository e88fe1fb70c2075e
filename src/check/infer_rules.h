// Types and shapes: what inference finds wrong, as problems with their place and chain.
#pragma once

#include "check/context.h"
#include "check/report.h"
#include "sardonyx/custom_op.h"

namespace sardonyx::check {

// `custom_ops` may be null. Leaves out what is found where an error stands already.
void check_inference(Reporter& reporter, const ModelContext& context, const CustomOps* custom_ops);

}  // namespace sardonyx::check
