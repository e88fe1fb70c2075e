// Packed element types (4 and 2 bits) in operators that move elements.
#pragma once

#include <memory>

#include "ops/facts.h"

namespace sardonyx::ops {

inline constexpr DTypeSet kPacked = {DType::kUInt4, DType::kInt4, DType::kFloat4E2M1, DType::kUInt2, DType::kInt2};

// Wraps a step that moves elements of one byte and never binds dynamic: of packed inputs, which have one type, it sees uint8, and its uint8
// results are packed again. Everything else passes through.
std::unique_ptr<Prepared> via_bytes(std::unique_ptr<Prepared> prepared);

// Elements [from_first, from_first + count) to the places from to_first on; both tensors have one packed type.
void copy_packed_run(const Tensor& from, size_t from_first, Tensor& to, size_t to_first, size_t count);

}  // namespace sardonyx::ops
