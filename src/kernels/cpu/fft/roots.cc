#include "kernels/cpu/fft/roots.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace sardonyx::kernels {

Roots::Roots(size_t size) : size_(size), step_(static_cast<size_t>(std::sqrt(static_cast<double>(size))) + 1) {
  const long double unit = std::numbers::pi_v<long double> / (4 * static_cast<long double>(size));
  const auto turned = [unit](size_t units) { return std::polar(1.0L, unit * static_cast<long double>(units)); };
  for (size_t k = 0; k < step_; ++k) fine_.push_back(turned(k));
  for (size_t k = 0; k <= size / step_; ++k) coarse_.push_back(turned(k * step_));
}

std::complex<long double> Roots::exact(size_t k) const noexcept {
  size_t units = 8 * k;
  const bool below = units > 4 * size_;
  if (below) units = 8 * size_ - units;
  const bool left = units > 2 * size_;
  if (left) units = 4 * size_ - units;
  const bool steep = units > size_;
  if (steep) units = 2 * size_ - units;
  const std::complex<long double>&a = coarse_[units / step_], &b = fine_[units % step_];
  long double real = a.real() * b.real() - a.imag() * b.imag(), imag = a.real() * b.imag() + a.imag() * b.real();
  if (steep) std::swap(real, imag);
  return {left ? -real : real, below ? -imag : imag};
}

}  // namespace sardonyx::kernels
