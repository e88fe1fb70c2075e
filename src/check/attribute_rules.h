// What must hold for the attributes of a node, on their own and against the operator's schema. Their graphs are graph_rules' matter.
#pragma once

#include "check/context.h"
#include "check/report.h"
#include "schema/schema.h"

namespace sardonyx::check {

void check_attributes_alone(Reporter& reporter, const model::Node& node, const NodeContext& context);
void check_attributes(Reporter& reporter, const model::Node& node, const schema::Schema& schema);

}  // namespace sardonyx::check
