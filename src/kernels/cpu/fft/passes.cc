#include "kernels/cpu/fft/passes.h"

#include <algorithm>
#include <cstring>

#include "core/interrupt.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/fft/passes.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kAsked = size_t{1} << 14;  // columns between two questions whether the run is to end
constexpr size_t kAny = 0;                  // a radix that is known only when the program runs

// Complex values, one in each lane.
template <class D>
struct Complexes {
  hn::Vec<D> re, im;
};

template <class D>
HWY_INLINE Complexes<D> sum(const Complexes<D>& a, const Complexes<D>& b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
template <class D>
HWY_INLINE Complexes<D> difference(const Complexes<D>& a, const Complexes<D>& b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
template <class D>
HWY_INLINE Complexes<D> scaled(const Complexes<D>& a, hn::Vec<D> factor) {
  return {hn::Mul(a.re, factor), hn::Mul(a.im, factor)};
}

// As many columns as a vector has lanes: butterflies next to one another in the output. In the input, and among the twiddles, they lie
// together unless the pass has fewer inner values than a vector lanes.
template <class D, class Real = hn::TFromD<D>>
class Columns {
 public:
  using Value = std::complex<Real>;
  static constexpr size_t kLanes = hn::MaxLanes(D());

  // From `first` on; `together`: they have one outer index.
  HWY_INLINE Columns(const FftPass<Real>& pass, const Value* from, Value* to, size_t first, size_t count, bool together)
      : pass_(pass), count_(count), together_(together), to_(to + first) {
    const size_t outer = first / pass.inner, inner = first - outer * pass.inner;
    from_ = from + outer * pass.radix * pass.inner;
    if (together) {
      offsets_[0] = twiddles_[0] = inner;
      return;
    }
    size_t row = 0, i = inner;
    for (size_t lane = 0; lane < count; ++lane) {
      offsets_[lane] = row + i;
      twiddles_[lane] = i;
      if (++i == pass.inner) {
        i = 0;
        row += pass.radix * pass.inner;
      }
    }
  }

  HWY_INLINE Complexes<D> load(size_t j) const { return gather(from_ + j * pass_.inner, offsets_); }

  template <bool kTwiddled>
  HWY_INLINE void store(size_t j, Complexes<D> value) const {
    if (kTwiddled && j > 0) {
      const Complexes<D> factor = gather(pass_.twiddles + (j - 1) * pass_.inner, twiddles_);
      value = {hn::Sub(hn::Mul(value.re, factor.re), hn::Mul(value.im, factor.im)),
               hn::Add(hn::Mul(value.re, factor.im), hn::Mul(value.im, factor.re))};
    }
    Value* const to = to_ + j * pass_.outer * pass_.inner;
    if (count_ == kLanes) return hn::StoreInterleaved2(value.re, value.im, D(), reinterpret_cast<Real*>(to));
    Value lanes[kLanes];
    hn::StoreInterleaved2(value.re, value.im, D(), reinterpret_cast<Real*>(lanes));
    std::copy_n(lanes, count_, to);
  }

 private:
  HWY_INLINE Complexes<D> gather(const Value* from, const size_t* offsets) const {
    Complexes<D> result;
    if (together_) {
      hn::LoadInterleaved2(D(), reinterpret_cast<const Real*>(from + offsets[0]), result.re, result.im);
      return result;
    }
    Value lanes[kLanes] = {};
    for (size_t lane = 0; lane < count_; ++lane) std::memcpy(lanes + lane, from + offsets[lane], sizeof(Value));
    hn::LoadInterleaved2(D(), reinterpret_cast<const Real*>(lanes), result.re, result.im);
    return result;
  }

  const FftPass<Real>& pass_;
  size_t count_;
  bool together_;
  const Value* from_;
  Value* to_;
  size_t offsets_[kLanes], twiddles_[kLanes];
};

template <bool kTwiddled, class D>
HWY_INLINE void butterfly_of_two(const Columns<D>& columns) {
  const Complexes<D> a = columns.load(0), b = columns.load(1);
  columns.template store<kTwiddled>(0, sum<D>(a, b));
  columns.template store<kTwiddled>(1, difference<D>(a, b));
}

template <bool kTwiddled, class D>
HWY_INLINE void butterfly_of_four(const Columns<D>& columns, bool inverse) {
  const Complexes<D> x0 = columns.load(0), x1 = columns.load(1), x2 = columns.load(2), x3 = columns.load(3);
  const Complexes<D> even = sum<D>(x0, x2), odd = sum<D>(x1, x3), across = difference<D>(x0, x2), turned = difference<D>(x1, x3);
  const Complexes<D> plus = {hn::Sub(across.re, turned.im), hn::Add(across.im, turned.re)};   // across + i * turned
  const Complexes<D> minus = {hn::Add(across.re, turned.im), hn::Sub(across.im, turned.re)};  // across - i * turned
  columns.template store<kTwiddled>(0, sum<D>(even, odd));
  columns.template store<kTwiddled>(1, inverse ? plus : minus);
  columns.template store<kTwiddled>(2, difference<D>(even, odd));
  columns.template store<kTwiddled>(3, inverse ? minus : plus);
}

// Odd radices. Inputs j and radix - j meet conjugate roots: their sums need only cosines, their differences only sines; and outputs u and
// radix - u differ in one sign.
template <size_t kRadix, bool kTwiddled, class D, class Real>
HWY_INLINE void butterfly_of_odd(const Columns<D>& columns, size_t radix_given, const std::complex<Real>* wheel) {
  constexpr D d;
  const size_t radix = kRadix == kAny ? radix_given : kRadix, half = radix / 2;
  Complexes<D> x[kRadix == kAny ? kGreatestRadix : kRadix];  // first the inputs, then sums and, from the end, differences
  for (size_t j = 0; j < radix; ++j) x[j] = columns.load(j);
  Complexes<D> total = x[0];
  for (size_t j = 1; j <= half; ++j) {
    const Complexes<D> a = x[j], b = x[radix - j];
    x[j] = sum<D>(a, b);
    x[radix - j] = difference<D>(a, b);
    total = sum<D>(total, x[j]);
  }
  columns.template store<kTwiddled>(0, total);
  for (size_t u = 1; u <= half; ++u) {
    Complexes<D> near = sum<D>(x[0], scaled<D>(x[1], hn::Set(d, wheel[u].real())));
    Complexes<D> far = scaled<D>(x[radix - 1], hn::Set(d, wheel[u].imag()));  // still to be multiplied by i
    for (size_t j = 2, k = 2 * u; j <= half; ++j, k += u) {
      if (k >= radix) k -= radix;
      near = sum<D>(near, scaled<D>(x[j], hn::Set(d, wheel[k].real())));
      far = sum<D>(far, scaled<D>(x[radix - j], hn::Set(d, wheel[k].imag())));
    }
    columns.template store<kTwiddled>(u, {hn::Sub(near.re, far.im), hn::Add(near.im, far.re)});
    columns.template store<kTwiddled>(radix - u, {hn::Add(near.re, far.im), hn::Sub(near.im, far.re)});
  }
}

// Blocks of columns; the last one of a row or pass begins early rather than being short, so that some columns are computed twice.
template <size_t kRadix, class D, class Real>
void run_blocks(const FftPass<Real>& pass, const std::complex<Real>* from, std::complex<Real>* to) {
  constexpr size_t kLanes = Columns<D>::kLanes;
  const size_t columns = pass.outer * pass.inner;
  const bool together = pass.inner >= kLanes;
  const size_t row = together ? pass.inner : columns;
  for (size_t begin = 0; begin < columns; begin += row) {
    if ((begin ^ (begin + row)) >= kAsked && core::interrupted()) return;
    for (size_t i = 0; i < row; i += kLanes) {
      if (i % kAsked == kAsked - kLanes && core::interrupted()) return;
      const size_t count = std::min(kLanes, row);
      const Columns<D> block(pass, from, to, begin + std::min(i, row - count), count, together);
      if constexpr (kRadix == 2) {
        pass.inner > 1 ? butterfly_of_two<true>(block) : butterfly_of_two<false>(block);
      } else if constexpr (kRadix == 4) {
        pass.inner > 1 ? butterfly_of_four<true>(block, pass.inverse) : butterfly_of_four<false>(block, pass.inverse);
      } else {
        pass.inner > 1 ? butterfly_of_odd<kRadix, true>(block, pass.radix, pass.wheel)
                       : butterfly_of_odd<kRadix, false>(block, pass.radix, pass.wheel);
      }
    }
  }
}

template <class D, class Real>
void run_radix(const FftPass<Real>& pass, const std::complex<Real>* from, std::complex<Real>* to) {
  switch (pass.radix) {
    case 2:
      return run_blocks<2, D>(pass, from, to);
    case 3:
      return run_blocks<3, D>(pass, from, to);
    case 4:
      return run_blocks<4, D>(pass, from, to);
    case 5:
      return run_blocks<5, D>(pass, from, to);
    case 7:
      return run_blocks<7, D>(pass, from, to);
    case 11:
      return run_blocks<11, D>(pass, from, to);
    default:
      return run_blocks<kAny, D>(pass, from, to);
  }
}

// Narrow vectors where there are too few columns to fill wide ones.
template <class Real>
void run_width(const FftPass<Real>& pass, const std::complex<Real>* from, std::complex<Real>* to) {
  using Wide = hn::ScalableTag<Real>;
  if (pass.outer * pass.inner < hn::MaxLanes(Wide())) {
    run_radix<hn::CappedTag<Real, 4>>(pass, from, to);
  } else {
    run_radix<Wide>(pass, from, to);
  }
}

void run_float(const FftPass<float>& pass, const std::complex<float>* from, std::complex<float>* to) { run_width(pass, from, to); }
void run_double(const FftPass<double>& pass, const std::complex<double>* from, std::complex<double>* to) { run_width(pass, from, to); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(run_float);
HWY_EXPORT(run_double);

void run_pass(const FftPass<float>& pass, const std::complex<float>* from, std::complex<float>* to) noexcept {
  HWY_DYNAMIC_DISPATCH(run_float)(pass, from, to);
}
void run_pass(const FftPass<double>& pass, const std::complex<double>* from, std::complex<double>* to) noexcept {
  HWY_DYNAMIC_DISPATCH(run_double)(pass, from, to);
}

}  // namespace sardonyx::kernels
#endif
