// The function that an operator of the domain ai.sardonyx applies to its result (FusedConv, FusedConvTranspose, FusedGemm, FusedMatMul):
// attribute `activation`, a name of kActivations, with its numbers in `activation_params`.
#pragma once

#include <span>
#include <string_view>

#include "kernels/cpu/math/activation.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {

struct ActivationRow {
  std::string_view name;      // as the attribute has it
  kernels::UnaryOp function;  // kRelu and kClip become bounds
  size_t params;              // numbers that activation_params holds
};
// All of them, sorted by name.
std::span<const ActivationRow> activation_rows() noexcept;

// None for operators of other domains and without the attribute. Throws InvalidModel for an unknown name, and for too many or too few
// numbers.
kernels::Activation activation_from_node(const model::Node& node);

}  // namespace sardonyx::ops
