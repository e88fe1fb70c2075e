// The function that a fused operator of com.microsoft applies to its result.
#pragma once

#include "ops/elementwise/unary.h"
#include "ops/op.h"

namespace sardonyx::ops {

// output_scale * function(input_scale * x)
struct FusedFunction {
  UnarySpec function;
  float input_scale = 1, output_scale = 1;
};

// A function of ai.onnx by its name, and Silu; `params` are its attributes, absent ones taking that operator's defaults. Throws
// InvalidModel for a name outside `allowed`, telling all of them.
FusedFunction fused_function(std::string_view name, std::vector<model::Attribute> params, std::span<const std::string_view> allowed);

// `inner`, whose only output then goes through the function.
std::unique_ptr<Prepared> with_function(std::unique_ptr<Prepared> inner, const FusedFunction& function);

}  // namespace sardonyx::ops
