#include "kernels/cpu/fft/fft.h"

#include <algorithm>
#include <bit>
#include <numbers>
#include <utility>

#include "core/interrupt.h"

namespace sardonyx::kernels {
namespace {

using Value = std::complex<double>;

// Without the tests for NaN and infinity of operator*.
Value times(const Value& a, const Value& b) noexcept {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

Value turn(size_t numerator, size_t denominator) {  // exp(-2 pi i n / d)
  return std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(numerator) / static_cast<double>(denominator));
}

}  // namespace

Fft::Fft(size_t size, bool inverse) : size_(size), padded_(std::bit_ceil(size)), inverse_(inverse) {
  if (padded_ != size) padded_ = std::bit_ceil(2 * size - 1);
  for (size_t k = 0; k < padded_ / 2; ++k) roots_.push_back(turn(k, padded_));
  if (padded_ == size) return;
  // k^2 modulo 2 * size, step by step: the square itself would lose the angle's digits.
  for (size_t k = 0, square = 0; k < size; square = (square + 2 * k + 1) % (2 * size), ++k) {
    const Value value = turn(square, 2 * size);
    chirp_.push_back(inverse ? std::conj(value) : value);
  }
  spectrum_.assign(padded_, 0);
  for (size_t k = 0; k < size; ++k) {
    spectrum_[k] = std::conj(chirp_[k]);
    if (k > 0) spectrum_[padded_ - k] = spectrum_[k];
  }
  power_of_two(spectrum_.data(), false);
  for (Value& value : spectrum_) value /= static_cast<double>(padded_);
}

void Fft::power_of_two(Value* values, bool inverse) const noexcept {
  constexpr size_t kBetweenChecks = size_t{1} << 15;
  for (size_t i = 1, j = 0; i < padded_; ++i) {  // bits reversed
    if (i % kBetweenChecks == 0 && core::interrupted()) return;
    size_t bit = padded_ / 2;
    for (; (j & bit) != 0; bit /= 2) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(values[i], values[j]);
  }
  for (size_t half = 1; half < padded_; half *= 2) {
    const size_t step = padded_ / (2 * half);
    for (size_t first = 0; first < padded_; first += 2 * half) {
      if (first > 0 && first % kBetweenChecks == 0 && core::interrupted()) return;
      for (size_t k = 0; k < half; ++k) {
        const Value root = inverse ? std::conj(roots_[k * step]) : roots_[k * step];
        const Value odd = times(root, values[first + half + k]);
        values[first + half + k] = values[first + k] - odd;
        values[first + k] += odd;
      }
    }
  }
}

void Fft::transform(Value* values, Value* scratch) const noexcept {
  if (chirp_.empty()) return power_of_two(values, inverse_);
  for (size_t k = 0; k < size_; ++k) scratch[k] = times(values[k], chirp_[k]);
  std::fill(scratch + size_, scratch + padded_, Value(0));
  power_of_two(scratch, false);
  for (size_t k = 0; k < padded_; ++k) scratch[k] = times(scratch[k], spectrum_[k]);
  power_of_two(scratch, true);
  for (size_t k = 0; k < size_; ++k) values[k] = times(scratch[k], chirp_[k]);
}

}  // namespace sardonyx::kernels
