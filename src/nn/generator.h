// The random number generator of the CPU: PyTorch's use of the Mersenne twister, and the fillings of tensors built on it.
//
// The order in which numbers are drawn, and how many, is PyTorch's, so that one seed gives the same tensors in both.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <random>

#include "sardonyx/tensor.h"

namespace sardonyx::nn {

class Generator {
 public:
  explicit Generator(uint64_t seed) { this->seed(seed); }
  // Only the low 32 bits matter.
  void seed(uint64_t seed);

  uint32_t next32() { return static_cast<uint32_t>(engine_()); }
  uint64_t next64();
  // Uniform in [0, 1) with 24 (float) or 53 (double) random bits.
  template <class T>
  double unit();
  template <class T>
  T uniform(T low, T high);
  // Normal with mean 0 and variance 1. Numbers come in pairs: the second waits for the next call, or is lost by seed().
  double normal();

 private:
  std::mt19937 engine_;
  std::optional<double> waiting_;
};

// The process's generator, locked for as long as this lives.
class LockedGenerator {
 public:
  LockedGenerator();
  Generator* operator->() const noexcept { return &generator_; }
  Generator& operator*() const noexcept { return generator_; }

 private:
  Generator& generator_;
  std::unique_lock<std::mutex> lock_;
};

// Fill with random numbers from the process's generator. float and double; Unsupported for other types.
void fill_uniform(Tensor& tensor, double low, double high);
void fill_normal(Tensor& tensor, double mean, double std);
// One with probability p, else zero.
void fill_bernoulli(Tensor& tensor, double p);

// Calls body(T{}) with the tensor's element type, float or double; `name` starts the error for other types.
template <class Body>
void with_float_type(const Tensor& tensor, const char* name, const Body& body) {
  if (tensor.dtype() == DType::kFloat32) {
    body(float{});
  } else if (tensor.dtype() == DType::kFloat64) {
    body(double{});
  } else {
    throw Error(ErrorCode::kUnsupported, std::string(name) + ": not implemented for " + type_string(tensor.dtype()) +
                                             "; use a float or double tensor, and Tensor::to");
  }
}

}  // namespace sardonyx::nn
