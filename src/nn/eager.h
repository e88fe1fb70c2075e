// How the functions of nn compute and are recorded: one ONNX operator run at once on the CPU, and a line in the active trace.
#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/trace.h"
#include "sardonyx/model.h"
#include "sardonyx/nn/options.h"
#include "sardonyx/tensor.h"

namespace sardonyx::nn {

inline constexpr std::string_view kOwnDomain = "ai.sardonyx";

// The first output of the operator at the opset that nn runs on. Undefined tensors are absent inputs.
Tensor run_operator(std::string_view op_type, std::span<const Tensor> inputs, std::vector<model::Attribute> attributes = {},
                    std::string_view domain = {});
inline Tensor run_operator(std::string_view op_type, std::initializer_list<Tensor> inputs, std::vector<model::Attribute> attributes = {},
                           std::string_view domain = {}) {
  return run_operator(op_type, std::span<const Tensor>(inputs.begin(), inputs.size()), std::move(attributes), domain);
}

// Tells the active trace, if any, that `kind` made `output`; gives the output back.
Tensor recorded(std::string_view kind, std::span<const Tensor> inputs, TraceAttributes attributes, Tensor output);
inline Tensor recorded(std::string_view kind, std::initializer_list<Tensor> inputs, TraceAttributes attributes, Tensor output) {
  return recorded(kind, std::span<const Tensor>(inputs.begin(), inputs.size()), std::move(attributes), std::move(output));
}

// Copies the elements of `result`, of equal type and shape, into `target`; gives the target back.
Tensor overwritten(Tensor target, const Tensor& result);

[[noreturn]] void reject(const std::string& message);  // throws InvalidArgument

// `dim` counted from the front, in [0, rank); a scalar counts as rank 1. Throws as PyTorch does.
int64_t wrapped_dim(int64_t dim, int64_t rank);

std::vector<int64_t> as_ints(const Size2d& size);
// Throws unless both are at least `least` and at most 2^31 - 1; `what` starts the message: "stride of max_pool2d".
void expect_at_least(int64_t least, const Size2d& size, std::string_view what);

// "3 x 224 x 224"
std::string sizes_text(std::span<const int64_t> sizes);

}  // namespace sardonyx::nn
