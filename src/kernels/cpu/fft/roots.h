// Roots of unity for the tables of Fourier transforms.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace sardonyx::kernels {

// exp(2 pi i k / size), each rounded once. Two tables of about sqrt(size) values in long double, whose products give the angles of the
// first eighth of the circle; the rest follows by symmetry, so that roots that mirror each other have the same digits.
class Roots {
 public:
  // `size` is at least 1.
  explicit Roots(size_t size);

  // `k` is below `size`.
  template <class Real>
  std::complex<Real> at(size_t k) const noexcept {
    const std::complex<long double> root = exact(k);
    return {static_cast<Real>(root.real()), static_cast<Real>(root.imag())};
  }

 private:
  std::complex<long double> exact(size_t k) const noexcept;

  size_t size_, step_;
  std::vector<std::complex<long double>> fine_, coarse_;  // angles of 1 / (8 size) of a turn, and of step / (8 size)
};

}  // namespace sardonyx::kernels
