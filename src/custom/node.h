// A node of the model against the declaration of its custom operator.
#pragma once

#include <vector>

#include "sardonyx/custom_op.h"
#include "sardonyx/model.h"

namespace sardonyx::custom {

// "com.example.Scale"
std::string full_name(const CustomOp& op);

// The kernel for the node. Throws InvalidModel where inputs, outputs or attributes are not as declared, and what the operator throws.
CustomKernel make_kernel(const CustomOp& op, const model::Node& node);

// Checks the inputs' types and calls infer(). Throws InvalidModel for a type that is not allowed; Internal, blaming the operator, where
// what comes back does not fit the node.
std::vector<TensorFacts> infer(const CustomOp& op, const CustomKernel& kernel, const model::Node& node,
                               const std::vector<TensorFacts>& inputs);

// Calls `body`; an exception that is no sardonyx::Error comes out as Internal and blames the operator.
void blame(const CustomOp& op, const char* what, const std::function<void()>& body);

bool is_known(const TensorFacts& facts) noexcept;

}  // namespace sardonyx::custom
