// Operators that are defined by a graph, rewritten into that graph: Gradient (ai.onnx.preview.training) by differentiating the nodes
// around it, FlexAttention (ai.onnx.preview) by its definition, with its modifiers as part of the graph.
//
// Unlike the passes these rewrites are no choice: no kernel knows the operators. They run before the nodes are put in order, since a
// Gradient reads values that it does not list.
#pragma once

#include "sardonyx/model.h"

namespace sardonyx::optimize {

// Throws InvalidModel, naming the node, for a node that breaks its definition; Unsupported for a node that cannot be differentiated.
void expand_composites(model::Model& model);

}  // namespace sardonyx::optimize
