// One pass of a mixed-radix Fourier transform: butterflies of one radix, each column of values by itself.
#pragma once

#include <complex>
#include <cstddef>

namespace sardonyx::kernels {

// Inputs lie as (outer, radix, inner), outputs as (radix, outer, inner); they do not overlap.
template <class Real>
struct FftPass {
  size_t radix = 2;  // 2, 4, or odd and at most kGreatestRadix
  size_t outer = 1, inner = 1;
  bool inverse = false;
  const std::complex<Real>* twiddles = nullptr;  // (radix - 1, inner): factors of outputs 1, 2, ...; not read where inner is 1
  const std::complex<Real>* wheel = nullptr;     // powers of the root of an odd radix
};

inline constexpr size_t kGreatestRadix = 128;

// Every value takes the same operations, in the same order, on every SIMD target; none is fused.
void run_pass(const FftPass<float>& pass, const std::complex<float>* from, std::complex<float>* to) noexcept;
void run_pass(const FftPass<double>& pass, const std::complex<double>* from, std::complex<double>* to) noexcept;

}  // namespace sardonyx::kernels
