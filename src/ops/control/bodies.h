// The graphs of a node, by attribute, with the counts that the operator asks for.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "ops/op.h"

namespace sardonyx::ops {

// Throws InvalidModel where the node has no such graph.
std::shared_ptr<const Body> body_of(const PrepareContext& context, std::string_view attribute);

// Throw InvalidModel unless the graph takes, or gives, that many values.
void require_body_inputs(const Body& body, std::string_view attribute, size_t count);
void require_body_outputs(const Body& body, std::string_view attribute, size_t count);

// A dynamic step of `outputs` values whose types are known when it runs.
std::unique_ptr<Prepared> make_control(size_t outputs, const char* kernel, std::function<void(const RunContext&)> run);

}  // namespace sardonyx::ops
