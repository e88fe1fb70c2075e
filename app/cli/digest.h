// Digests of values, for telling whether two runs gave the same bits.
#pragma once

#include <cstdint>

#include "sardonyx/tensor.h"

namespace sardonyx::cli {

// 64-bit FNV-1a of element type, shape and elements; of a sequence or map, of all it holds. Values with the same bits have the same digest.
uint64_t digest(const Tensor& value);

}  // namespace sardonyx::cli
