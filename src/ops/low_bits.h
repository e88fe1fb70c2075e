// For the tests of operators in double: values that float32 does not hold.
#pragma once

#include "sardonyx/tensor.h"

namespace sardonyx::ops {

// In double, each value moved by what float32 does not hold.
inline Tensor with_low_bits(const Tensor& x) {
  Tensor result = x.to(DType::kFloat64);
  for (double& value : result.mutable_values<double>()) value += value / 3e8 + 1e-10;
  return result;
}

}  // namespace sardonyx::ops
