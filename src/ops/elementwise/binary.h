// Elementwise operators of two operands with numpy broadcasting: arithmetic, comparison, logic, bits. Min, Max, Sum and Mean take any
// number.
//
// Arithmetic of float32, int32 and int64 runs SIMD kernels where there is one; everything else is computed through the accumulation type
// (elements.h). Integers wrap around; an integer division by zero is an error.
#pragma once

#include <optional>

#include "kernels/cpu/math/binary.h"
#include "ops/facts.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {

// Computes y = op(a, b). The types are equal except for Pow; y has a's type or is bool.
using BinaryFunction = void (*)(const kernels::BroadcastShape& shape, DType a_type, DType b_type, const void* a, const void* b, void* y,
                                core::ThreadPool& pool);

struct BinaryRow {
  std::string_view op_type;
  DTypeSet types;
  bool gives_bool;
  std::optional<kernels::BinaryOp> kernel;  // for float32, int32 and int64
  BinaryFunction function;                  // for all types
  std::string_view variant = {};            // what an attribute chooses: Mod's "fmod", BitShift's direction
};

struct BinarySpec {
  const BinaryRow* row = nullptr;
  // Until opset 6 B is broadcast only if the attribute `broadcast` asks for it, from dimension `axis` of A on (absent: the last ones).
  bool strict = false;
  std::optional<int64_t> axis;
};

BinarySpec binary_spec_from_node(const model::Node& node, int64_t opset);

// Whether a divisor of 0 is refused.
bool divides_integers(const BinaryRow& row, DType dtype) noexcept;

// The shape under which B is broadcast by today's rules.
Shape binary_b_shape(const BinarySpec& spec, const Shape& a, const Shape& b);

// The loops over two contiguous operands with broadcasting. Throws Unsupported where they need too many dimensions.
kernels::BroadcastShape collapsed_broadcast(std::span<const int64_t> a, std::span<const int64_t> b);

std::span<const BinaryRow> binary_rows() noexcept;

}  // namespace sardonyx::ops
