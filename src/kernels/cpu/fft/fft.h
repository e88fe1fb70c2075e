// Discrete Fourier transforms of any length, in float or double. Lengths with a large prime factor go by Bluestein's chirp (Bluestein
// 1970), all others by a pass for each factor.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

#include "kernels/cpu/fft/mixed_radix.h"

namespace sardonyx::kernels {

template <class Real>
class Fft {
 public:
  using Value = std::complex<Real>;

  // `size` is at least 1. The tables take memory proportional to it.
  Fft(size_t size, bool inverse);

  size_t size() const noexcept { return size_; }
  // Values that transform() needs as scratch.
  size_t scratch_values() const noexcept;
  // In place; not scaled. `scratch` holds scratch_values() values.
  void transform(Value* values, Value* scratch) const noexcept;

 private:
  void make_chirp(bool inverse);

  size_t size_;
  MixedRadix<Real> passes_;      // of size, or with a chirp of a greater size, and then forward
  std::vector<Value> chirp_;     // exp(-+ pi i k^2 / size); empty where no prime factor is large
  std::vector<Value> spectrum_;  // transform of the chirp's conjugate, divided by the greater size
};

// The first half of the spectrum of real numbers; the second half is its conjugate backwards. The spectrum is real at frequency 0 and, for
// even sizes, at the highest one: their imaginary parts are 0 exactly. Even sizes take a complex transform of half the size.
template <class Real>
class RealFft {
 public:
  using Value = std::complex<Real>;

  // `size` is at least 1.
  explicit RealFft(size_t size);

  size_t size() const noexcept { return size_; }
  size_t scratch_values() const noexcept { return fft_.scratch_values(); }
  // `values` has room for size() values: on entry it is an array of size() real numbers, on return the first size() / 2 + 1 values of the
  // spectrum.
  void transform(Value* values, Value* scratch) const noexcept;

 private:
  size_t size_;
  Fft<Real> fft_;
  std::vector<Value> turns_;  // exp(-2 pi i k / size) for k up to a quarter of an even size
};

extern template class Fft<float>;
extern template class Fft<double>;
extern template class RealFft<float>;
extern template class RealFft<double>;

}  // namespace sardonyx::kernels
