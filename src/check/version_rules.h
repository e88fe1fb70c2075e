// What must hold for a model's versions, imports and metadata.
#pragma once

#include <span>
#include <string_view>

#include "check/report.h"

namespace sardonyx::check {

void check_ir_version(Reporter& reporter, const model::Model& model);
void check_opset_presence(Reporter& reporter, const model::Model& model);
void check_opsets(Reporter& reporter, std::span<const model::OpsetId> imports);
void check_metadata(Reporter& reporter, const model::StringPairs& pairs);
void check_configurations(Reporter& reporter, const model::Model& model);

}  // namespace sardonyx::check
