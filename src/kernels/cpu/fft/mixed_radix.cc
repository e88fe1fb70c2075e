#include "kernels/cpu/fft/mixed_radix.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/interrupt.h"

namespace sardonyx::kernels {
namespace {
constexpr size_t kLong = size_t{1} << 15;  // values, of which a pass may take so long that it is asked whether the run is to end
}

std::vector<size_t> radices_of(size_t size) {
  std::vector<size_t> radices;
  for (; size % 4 == 0; size /= 4) radices.push_back(4);
  if (size % 2 == 0) {
    size /= 2;
    radices.push_back(2);
    std::swap(radices.front(), radices.back());
  }
  for (size_t divisor = 3; divisor * divisor <= size; divisor += 2) {
    for (; size % divisor == 0; size /= divisor) radices.push_back(divisor);
  }
  if (size > 1) radices.push_back(size);
  return radices;
}

double mixed_radix_cost(size_t size) {
  constexpr size_t kGreatestUnrolled = 11;
  double per_value = 0;
  for (const size_t radix : radices_of(size)) per_value += static_cast<double>(radix) * (radix > kGreatestUnrolled ? 1.3 : 1);
  return static_cast<double>(size) * per_value;
}

size_t smooth_at_least(size_t size) {
  size_t best = std::bit_ceil(size);
  for (size_t fives = 1; fives < best; fives *= 5) {
    for (size_t threes = fives; threes < best; threes *= 3) {
      const size_t missing = (size + threes - 1) / threes;
      best = std::min(best, threes * std::bit_ceil(missing));
    }
  }
  return best;
}

template <class Real>
MixedRadix<Real>::MixedRadix(size_t size, bool inverse) : size_(size), inverse_(inverse) {
  const Roots roots(size);
  size_t outer = 1;
  for (const size_t radix : radices_of(size)) {
    add_pass(roots, radix, outer);
    outer *= radix;
  }
}

template <class Real>
void MixedRadix<Real>::add_pass(const Roots& roots, size_t radix, size_t outer) {
  const Pass pass = {radix, outer, size_ / (outer * radix), twiddles_.size(), wheels_.size()};
  passes_.push_back(pass);
  const auto root = [&](size_t power) {
    const Value value = roots.at<Real>(power);
    return inverse_ ? value : std::conj(value);
  };
  if (pass.inner > 1) {
    core::InterruptCounter interrupt;
    for (size_t j = 1; j < radix; ++j) {
      for (size_t i = 0; i < pass.inner; ++i, interrupt.step()) twiddles_.push_back(root(i * j * outer));
    }
  }
  if (radix % 2 == 0) return;
  for (size_t j = 0; j < radix; ++j) wheels_.push_back(root(j * (size_ / radix)));
}

template <class Real>
void MixedRadix<Real>::transform(Value* values, Value* scratch) const noexcept {
  Value *from = values, *to = scratch;
  for (const Pass& pass : passes_) {
    if (size_ >= kLong && core::interrupted()) return;
    run_pass({.radix = pass.radix,
              .outer = pass.outer,
              .inner = pass.inner,
              .inverse = inverse_,
              .twiddles = twiddles_.data() + pass.twiddles,
              .wheel = wheels_.data() + pass.wheel},
             from, to);
    std::swap(from, to);
  }
  if (from != values) std::copy_n(from, size_, values);
}

template class MixedRadix<float>;
template class MixedRadix<double>;

}  // namespace sardonyx::kernels
