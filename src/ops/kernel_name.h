// What reports call the kernel of a bound step.
#pragma once

#include <string>
#include <string_view>

#include "ops/op.h"

namespace sardonyx::ops {

// Bound::kernel; where an operator has but one kernel and gives it no name, the operator's own in snake case: "depth_to_space".
std::string kernel_name(const Bound& bound, std::string_view op_type);

}  // namespace sardonyx::ops
