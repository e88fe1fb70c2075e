// Operators whose kernels know one floating-point type at a time, on inputs that mix double with narrower types: everything is computed in
// double, and rounded once.
#pragma once

#include "ops/via_float/via_float.h"

namespace sardonyx::ops {

// As via_float; but where `rule` tells of both double and narrower floating-point outputs, the Prepared of `prepare` sees double in the
// place of every narrower input, and no constants. `rule` is called, and may throw, in each bind before all else.
std::unique_ptr<Prepared> via_float_or_double(const PrepareContext& context, PrepareFunction prepare, OutputTypeRule rule);

}  // namespace sardonyx::ops
