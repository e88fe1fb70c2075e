// What must hold for the declared inputs, outputs and value_info of a graph.
#pragma once

#include <string_view>

#include "check/report.h"

namespace sardonyx::check {

// `what`: "input", "output". Only the main graph's must have types.
void check_value_info(Reporter& reporter, const model::ValueInfo& value, std::string_view what, bool is_subgraph);
// value_info against the values there are.
void check_declared(Reporter& reporter, const std::vector<model::ValueInfo>& declared, const NameScope& names);

}  // namespace sardonyx::check
