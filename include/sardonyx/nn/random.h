// Random tensors with PyTorch's numbers: the same seed gives what torch gives on the CPU (uniform numbers to the bit, normal ones to
// rounding).
//
// There is one generator per process, with a lock. Until manual_seed it is seeded by the operating system, as PyTorch's is.
#pragma once

#include <cstdint>

#include "sardonyx/tensor.h"

namespace sardonyx {

void manual_seed(uint64_t seed);

// Uniform in [0, 1); normal with mean 0 and variance 1. float or double, else Unsupported.
Tensor rand(Shape shape, DType dtype = DType::kFloat32);
Tensor randn(Shape shape, DType dtype = DType::kFloat32);
// Integers in [low, high); throws InvalidArgument unless low < high. Any integer or float type of at least 8 bits that Tensor::to converts.
Tensor randint(int64_t low, int64_t high, Shape shape, DType dtype = DType::kInt64);
// A permutation of 0 to n - 1, int64.
Tensor randperm(int64_t n);

}  // namespace sardonyx
