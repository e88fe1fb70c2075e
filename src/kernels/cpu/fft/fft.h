// Discrete Fourier transforms of any length, in double: by powers of two, other lengths by Bluestein's chirp.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace sardonyx::kernels {

class Fft {
 public:
  // `size` is at least 1. The tables take memory proportional to it.
  Fft(size_t size, bool inverse);

  size_t size() const noexcept { return size_; }
  // Values that transform() needs as scratch.
  size_t scratch_values() const noexcept { return chirp_.empty() ? 0 : padded_; }
  // In place; not scaled. `scratch` holds scratch_values() values.
  void transform(std::complex<double>* values, std::complex<double>* scratch) const noexcept;

 private:
  void power_of_two(std::complex<double>* values, bool inverse) const noexcept;

  size_t size_, padded_;  // padded_: a power of two
  bool inverse_;
  std::vector<std::complex<double>> roots_;     // exp(-2 pi i k / padded) for k below padded / 2
  std::vector<std::complex<double>> chirp_;     // exp(-+ pi i k^2 / size); empty for powers of two
  std::vector<std::complex<double>> spectrum_;  // transform of the chirp's conjugate, divided by padded
};

}  // namespace sardonyx::kernels
