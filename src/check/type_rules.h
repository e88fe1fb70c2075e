// What must hold for the declared inputs, outputs and value_info of a graph.
#pragma once

#include <string_view>

#include "check/report.h"

namespace sardonyx::check {

// `what`: "input", "output". Only the main graph's must have types. `unknown`: how grave an element type is that does not exist, or that is
// UNDEFINED and written out.
void check_value_info(Reporter& reporter, const model::ValueInfo& value, std::string_view what, bool is_subgraph, Severity unknown);
// Whether the type has such an element type.
bool has_unknown_element(const model::Type& type);
// value_info against the values there are.
void check_declared(Reporter& reporter, const std::vector<model::ValueInfo>& declared, const NameScope& names);

}  // namespace sardonyx::check
