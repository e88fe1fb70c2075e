// Converts a model to another version of the ONNX operators, up or down.
//
//   model::Model modern = sardonyx::convert_version(model, 21);
#pragma once

#include <cstdint>

#include "sardonyx/model.h"

namespace sardonyx {

// The model with every node of ai.onnx rewritten for `opset` (1 to 27; models of those opsets are read), subgraphs and functions of the
// model included. It computes the same: attributes become inputs and inputs attributes, defaults that changed are written out, operators
// that the target lacks are decomposed into those that it has. The IR version is raised (or lowered) to one that the opset needs. Throws
// Unsupported where the target cannot express a node: the error names the node, the reason and the nearest opset that can; InvalidArgument
// for an opset that ONNX does not have; InvalidModel for a model that breaks the specification.
model::Model convert_version(const model::Model& model, int64_t opset);

}  // namespace sardonyx
