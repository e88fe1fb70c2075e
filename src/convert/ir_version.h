#pragma once

#include "sardonyx/model.h"

namespace sardonyx::convert {

// The least IR version with which ONNX released an opset of ai.onnx, or the least that the contents of the model need, whichever is
// greater.
int64_t ir_version_for(const model::Model& model, int64_t opset);

}  // namespace sardonyx::convert
