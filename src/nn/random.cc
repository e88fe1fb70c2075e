#include "sardonyx/nn/random.h"

#include <utility>

#include "nn/generator.h"

namespace sardonyx {

void manual_seed(uint64_t seed) { nn::LockedGenerator()->seed(seed); }

Tensor rand(Shape shape, DType dtype) {
  Tensor result = Tensor::empty(std::move(shape), dtype);
  nn::fill_uniform(result, 0, 1);
  return result;
}

Tensor randn(Shape shape, DType dtype) {
  Tensor result = Tensor::empty(std::move(shape), dtype);
  nn::fill_normal(result, 0, 1);
  return result;
}

Tensor randint(int64_t low, int64_t high, Shape shape, DType dtype) {
  if (low >= high) {
    throw Error(ErrorCode::kInvalidArgument,
                "randint expects low < high, but found low=" + std::to_string(low) + " >= high=" + std::to_string(high));
  }
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  Tensor result = Tensor::empty(std::move(shape), DType::kInt64);
  nn::LockedGenerator generator;
  for (int64_t& x : result.mutable_values<int64_t>()) {
    const uint64_t drawn = range >> 32 != 0 ? generator->next64() : generator->next32();
    x = static_cast<int64_t>(drawn % range + static_cast<uint64_t>(low));
  }
  return result.to(dtype);
}

Tensor randperm(int64_t n) {
  if (n < 0 || n > UINT32_MAX)
    throw Error(ErrorCode::kInvalidArgument, "randperm: n must be between 0 and 2^32 - 1, got " + std::to_string(n));
  Tensor result = Tensor::empty({n}, DType::kInt64);
  const std::span<int64_t> values = result.mutable_values<int64_t>();
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
  nn::LockedGenerator generator;
  for (size_t i = 0; i + 1 < values.size(); ++i) std::swap(values[i], values[i + generator->next32() % (values.size() - i)]);
  return result;
}

}  // namespace sardonyx
