// The floating-point state of a thread (MXCSR on x86-64, FPCR and FPSR on arm64).
#pragma once

#include <cstdint>

namespace sardonyx::core {

// While it lives, the calling thread computes as kernels expect: rounding to nearest, no exception traps, and denormal results and operands
// flushed to zero if asked for. Its end, also by an exception, gives the thread back the state it had, raised exception flags included.
class FloatScope {
 public:
  explicit FloatScope(bool flush_denormals) noexcept;
  ~FloatScope();
  FloatScope(const FloatScope&) = delete;
  FloatScope& operator=(const FloatScope&) = delete;

  // Whether the calling thread is within a scope.
  static bool active() noexcept;

 private:
  uint64_t saved_;
  bool outer_;
};

// Rounding, traps and denormals of the calling thread, to be handed to another one of the same machine.
uint64_t float_control() noexcept;
void set_float_control(uint64_t control) noexcept;

}  // namespace sardonyx::core
