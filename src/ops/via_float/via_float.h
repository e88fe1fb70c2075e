// Operators whose kernels know float32 only, on float16 and bfloat16: inputs are widened into scratch, results rounded once.
#pragma once

#include <vector>

#include "ops/op.h"

namespace sardonyx::ops {

using PrepareFunction = std::unique_ptr<Prepared> (*)(const PrepareContext& context);

// Wraps the Prepared of `prepare`. Its binds see float32 wherever the node has float16 or bfloat16, and so do its constants; everything
// else passes through.
std::unique_ptr<Prepared> via_float(const PrepareContext& context, PrepareFunction prepare);

// For operators whose inputs may mix floating-point types. The rule sees the node's own inputs and tells for each output the type that a
// float32 result of the inner step is rounded to; outputs beyond its list stay as they are.
using OutputTypeRule = std::vector<DType> (*)(const BindContext& context);
std::unique_ptr<Prepared> via_float(const PrepareContext& context, PrepareFunction prepare, OutputTypeRule rule);

}  // namespace sardonyx::ops
