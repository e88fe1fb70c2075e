// The body of a model-local function as one call sees it: references to the function's attributes replaced by their values.
#pragma once

#include <string_view>
#include <unordered_map>

#include "sardonyx/model.h"

namespace sardonyx::infer {

using AttributeValues = std::unordered_map<std::string_view, const model::Attribute*>;

// What the function's attributes are for this call: the node's own, else the function's defaults.
AttributeValues attribute_values(const model::Function& function, const model::Node& call);

// Whether the node or a graph inside refers to an attribute of the function.
bool has_references(const model::Node& node);

// A copy whose references are replaced, in subgraphs too; a reference to what has no value makes the attribute absent.
model::Node bind_attributes(const model::Node& node, const AttributeValues& values);

}  // namespace sardonyx::infer
