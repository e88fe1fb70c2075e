// What the operators with subgraphs share: having a subgraph inferred, and types that hold for several values.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "infer/context.h"

namespace sardonyx::infer {

// The graph of an attribute; fails if it is missing.
const model::Graph& graph_attribute(const NodeContext& context, std::string_view name);

// Infers the body `name` with these inputs; fails if it has another number of inputs. Only the types count: elements are not passed on.
std::vector<Value> infer_graph(const NodeContext& context, std::string_view name, const std::vector<ValueType>& inputs);
// The same on an assumption: nothing where it leads to a contradiction.
std::optional<std::vector<Value>> try_graph(const NodeContext& context, std::string_view name, const std::vector<ValueType>& inputs);

// The same kind and element type, with no shape, within sequences and optionals too.
ValueType without_shapes(ValueType type);
// What holds of both. Fails if they differ in kind or element type; `what` names them in the error.
ValueType join_types(const NodeContext& context, const ValueType& a, const ValueType& b, std::string_view what);
// The type of one tensor of which both hold: what either says of its shape. Fails where they contradict each other.
ValueType merge_tensors(const NodeContext& context, const ValueType& a, const ValueType& b, std::string_view what);
// Whether both say the same, elements of sequences and optionals compared by what they say.
bool same_types(const ValueType& a, const ValueType& b);

}  // namespace sardonyx::infer
