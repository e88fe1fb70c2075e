// One rule per operator, found by name; a rule serves all versions of its operator.
#pragma once

#include <string_view>

#include "infer/context.h"

namespace sardonyx::infer {

using Rule = void (*)(NodeContext&);

// Null if the operator has no rule.
Rule find_rule(std::string_view domain, std::string_view op_type) noexcept;
// The same for operators that the specification does not have (see rules/microsoft.inc). Their rules see the latest version of ai.onnx, and
// outputs that have the first input's element type until the rule says otherwise.
Rule find_foreign_rule(std::string_view domain, std::string_view op_type) noexcept;

}  // namespace sardonyx::infer
