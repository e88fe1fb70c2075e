#include "kernels/cpu/fft/fft.h"

#include <algorithm>

#include "core/interrupt.h"
#include "kernels/cpu/fft/passes.h"

namespace sardonyx::kernels {
namespace {

// Without the tests for NaN and infinity of operator*.
template <class Real>
std::complex<Real> times(const std::complex<Real>& a, const std::complex<Real>& b) noexcept {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// body(k) for each k in [0, count), until the run is to end.
template <class Body>
void for_each_value(size_t count, const Body& body) {
  core::in_pieces(count, size_t{1} << 15, [&](size_t begin, size_t size) {
    for (size_t k = begin; k < begin + size; ++k) body(k);
  });
}

// The size of the passes: `size`, or one that its chirp fits into.
size_t passes_size(size_t size) {
  constexpr double kOverhead = 1.5;  // of the products around the two transforms
  const size_t padded = smooth_at_least(2 * size - 1);
  const std::vector<size_t> radices = radices_of(size);
  if (!radices.empty() && *std::max_element(radices.begin(), radices.end()) > kGreatestRadix) return padded;
  return mixed_radix_cost(size) <= 2 * kOverhead * mixed_radix_cost(padded) ? size : padded;
}

}  // namespace

template <class Real>
Fft<Real>::Fft(size_t size, bool inverse) : size_(size), passes_(passes_size(size), inverse && passes_size(size) == size) {
  if (passes_.size() != size) make_chirp(inverse);
}

template <class Real>
void Fft<Real>::make_chirp(bool inverse) {
  const size_t padded = passes_.size();
  const Roots roots(2 * size_);
  // k^2 modulo 2 * size, step by step: the square itself would lose the angle's digits.
  core::InterruptCounter interrupt;
  for (size_t k = 0, square = 0; k < size_; square = (square + 2 * k + 1) % (2 * size_), ++k) {
    interrupt.step();
    const Value value = roots.at<Real>(square);
    chirp_.push_back(inverse ? value : std::conj(value));
  }
  spectrum_.assign(padded, 0);
  for (size_t k = 0; k < size_; ++k) {
    spectrum_[k] = std::conj(chirp_[k]) / static_cast<Real>(padded);
    if (k > 0) spectrum_[padded - k] = spectrum_[k];
  }
  std::vector<Value> scratch(passes_.scratch_values());
  passes_.transform(spectrum_.data(), scratch.data());
}

template <class Real>
size_t Fft<Real>::scratch_values() const noexcept {
  return passes_.scratch_values() + (chirp_.empty() ? 0 : passes_.size());
}

template <class Real>
void Fft<Real>::transform(Value* values, Value* scratch) const noexcept {
  if (chirp_.empty()) return passes_.transform(values, scratch);
  const size_t padded = passes_.size();
  Value* const padded_values = scratch;
  scratch += padded;
  for_each_value(size_, [&](size_t k) { padded_values[k] = times(values[k], chirp_[k]); });
  for_each_value(padded - size_, [&](size_t k) { padded_values[size_ + k] = 0; });
  passes_.transform(padded_values, scratch);
  // The way back is the conjugate of the transform of the conjugate.
  for_each_value(padded, [&](size_t k) { padded_values[k] = std::conj(times(padded_values[k], spectrum_[k])); });
  passes_.transform(padded_values, scratch);
  for_each_value(size_, [&](size_t k) { values[k] = times(std::conj(padded_values[k]), chirp_[k]); });
}

template <class Real>
RealFft<Real>::RealFft(size_t size) : size_(size), fft_(size % 2 == 0 ? size / 2 : size, false) {
  if (size % 2 != 0) return;
  const Roots roots(size);
  core::InterruptCounter interrupt;
  for (size_t k = 0; k <= size / 4; ++k, interrupt.step()) turns_.push_back(std::conj(roots.at<Real>(k)));
}

template <class Real>
void RealFft<Real>::transform(Value* values, Value* scratch) const noexcept {
  if (turns_.empty()) {
    const Real* const reals = reinterpret_cast<const Real*>(values);
    core::InterruptGate gate;
    for (size_t k = size_; k-- > 0 && !(k % 0x8000 == 0 && gate.stopped());) values[k] = {reals[k], 0};
    fft_.transform(values, scratch);
    values[0].imag(0);
    return;
  }
  // The numbers at even places are the real parts, those at odd places the imaginary parts of one complex signal; the spectra of both are
  // its spectrum's symmetric and antisymmetric parts.
  const size_t half = size_ / 2;
  fft_.transform(values, scratch);
  const Value first = values[0];
  values[0] = {first.real() + first.imag(), 0};
  values[half] = {first.real() - first.imag(), 0};
  constexpr Real kHalf = Real(0.5);
  for_each_value(half / 2, [&](size_t at) {
    const size_t k = at + 1;
    const Value a = values[k], b = std::conj(values[half - k]);
    const Value even = (a + b) * kHalf, difference = (a - b) * kHalf;
    const Value odd = times(Value(difference.imag(), -difference.real()), turns_[k]);
    values[k] = even + odd;
    values[half - k] = std::conj(even - odd);
  });
}

template class Fft<float>;
template class Fft<double>;
template class RealFft<float>;
template class RealFft<double>;

}  // namespace sardonyx::kernels
