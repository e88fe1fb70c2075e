// Fourier transforms of lengths whose prime factors are small, by decimation in frequency with results in order (Stockham's form, as in
// Swarztrauber's FFTPACK): one pass for each factor, between two buffers, without a permutation.
//
// The order of operations is part of the contract: factors 4 first, then 2 moved to the front, then odd ones ascending; a pass multiplies
// by its twiddles after the butterfly; nothing is contracted to fused multiply-adds. Results in single precision then have the very
// rounding of the widespread libraries that descend from FFTPACK.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

#include "kernels/cpu/fft/passes.h"
#include "kernels/cpu/fft/roots.h"

namespace sardonyx::kernels {

// The radices of the passes, in their order. `size` is at least 1; 1 has none.
std::vector<size_t> radices_of(size_t size);
// How much work a transform of this size is, in units without meaning.
double mixed_radix_cost(size_t size);
// The least number at or above `size` that 2, 3 and 5 divide down to 1.
size_t smooth_at_least(size_t size);

// `size` complex values, in float or double.
template <class Real>
class MixedRadix {
 public:
  using Value = std::complex<Real>;

  // No prime factor of `size` is greater than kGreatestRadix.
  MixedRadix(size_t size, bool inverse);

  size_t size() const noexcept { return size_; }
  // Values that transform() needs as scratch.
  size_t scratch_values() const noexcept { return size_; }
  // In place; not scaled.
  void transform(Value* values, Value* scratch) const noexcept;

 private:
  struct Pass {
    size_t radix;
    size_t outer, inner;  // products of the radices before and after it
    size_t twiddles;      // where its (radix - 1, inner) twiddles begin; unused where inner is 1
    size_t wheel;         // where the powers of its root begin, if it is odd
  };

  void add_pass(const Roots& roots, size_t radix, size_t outer);

  size_t size_;
  bool inverse_;
  std::vector<Pass> passes_;
  std::vector<Value> twiddles_, wheels_;
};

extern template class MixedRadix<float>;
extern template class MixedRadix<double>;

}  // namespace sardonyx::kernels
