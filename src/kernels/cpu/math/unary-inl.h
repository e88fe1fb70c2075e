// The SIMD bodies of unary.inc, one function of the same name each, for any float tag. Compiled once per SIMD target.
#if defined(SARDONYX_KERNELS_CPU_MATH_UNARY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_MATH_UNARY_INL_H_
#undef SARDONYX_KERNELS_CPU_MATH_UNARY_INL_H_
#else
#define SARDONYX_KERNELS_CPU_MATH_UNARY_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>

#include <limits>

#include "kernels/cpu/math/unary.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace bodies {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

// p[0] + p[1] x + p[2] x^2 + ...
template <class D, class V, size_t kCount>
HWY_INLINE V polynomial(D d, V x, const float (&p)[kCount]) {
  V sum = hn::Set(d, p[kCount - 1]);
  for (size_t i = kCount - 1; i-- > 0;) sum = hn::MulAdd(sum, x, hn::Set(d, p[i]));
  return sum;
}

// e^x for x that is not NaN.
template <class D, class V>
HWY_INLINE V exp_of_number(D d, V x) {
  return hn::Exp(d, clamp(d, x, hn::Set(d, -105.0f), hn::Set(d, 89.0f)));  // beyond: 0 and infinity
}

template <class D, class V>
HWY_INLINE V Abs(D, V x, const UnaryParams&) {
  return hn::Abs(x);
}

template <class D, class V>
HWY_INLINE V Ceil(D, V x, const UnaryParams&) {
  return hn::Ceil(x);
}

template <class D, class V>
HWY_INLINE V Clip(D d, V x, const UnaryParams& p) {
  return clamp(d, x, hn::Set(d, p.alpha), hn::Set(d, p.beta));
}

template <class D, class V>
HWY_INLINE V Elu(D d, V x, const UnaryParams& p) {
  const V below = hn::Expm1(d, clamp(d, x, hn::Set(d, -105.0f), hn::Zero(d)));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(hn::Set(d, p.alpha), below), x);
}

template <class D, class V>
HWY_INLINE V Exp(D d, V x, const UnaryParams&) {
  return hn::IfThenElse(hn::IsNaN(x), x, exp_of_number(d, x));
}

// x P(x^2) up to 1, 1 - exp(-Q(|x|)) beyond; P and Q are least-maximum fits.
template <class D, class V>
HWY_INLINE V Erf(D d, V x, const UnaryParams&) {
  static constexpr float kP[] = {1.1283791065216064f,   -0.3761262595653534f,    0.11283600330352783f,  -0.026854444295167923f,
                                 0.005189535208046436f, -0.0008020841050893068f, 7.889119297033176e-05f};
  static constexpr float kQ[] = {0.00035370892146602273f, 1.1270400285720825f,    0.6382256150245667f,    0.10303743928670883f,
                                 -0.021805351600050926f,  0.0029396158643066883f, -0.0001855748996604234f};
  const V size = hn::Abs(x);
  const V inside = hn::Mul(x, polynomial(d, hn::Mul(x, x), kP));
  const V q = polynomial(d, clamp(d, size, hn::Set(d, 1.0f), hn::Set(d, 4.0f)), kQ);
  const V outside = hn::CopySign(hn::Sub(hn::Set(d, 1.0f), hn::Exp(d, hn::Neg(q))), x);
  return hn::IfThenElse(hn::Gt(size, hn::Set(d, 1.0f)), outside, inside);
}

template <class D, class V>
HWY_INLINE V Floor(D, V x, const UnaryParams&) {
  return hn::Floor(x);
}

template <class D, class V>
HWY_INLINE V HardSigmoid(D d, V x, const UnaryParams& p) {
  return clamp(d, hn::MulAdd(hn::Set(d, p.alpha), x, hn::Set(d, p.beta)), hn::Zero(d), hn::Set(d, 1.0f));
}

// x + 3 is exact where the result cancels.
template <class D, class V>
HWY_INLINE V HardSwish(D d, V x, const UnaryParams&) {
  const V gate = clamp(d, hn::Add(x, hn::Set(d, 3.0f)), hn::Zero(d), hn::Set(d, 6.0f));
  return hn::Mul(x, hn::Div(gate, hn::Set(d, 6.0f)));
}

template <class D, class V>
HWY_INLINE V LeakyRelu(D d, V x, const UnaryParams& p) {
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(hn::Set(d, p.alpha), x), x);
}

template <class D, class V>
HWY_INLINE V Log(D d, V x, const UnaryParams&) {
  const V infinity = hn::Set(d, kInfinity);
  V y = hn::IfThenElse(hn::Lt(x, infinity), hn::Log(d, x), x);  // infinity and NaN are their own logarithms
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), y);
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::NaN(d), y);
}

template <class D, class V>
HWY_INLINE V Neg(D, V x, const UnaryParams&) {
  return hn::Neg(x);
}

template <class D, class V>
HWY_INLINE V Reciprocal(D d, V x, const UnaryParams&) {
  return hn::Div(hn::Set(d, 1.0f), x);
}

template <class D, class V>
HWY_INLINE V Relu(D d, V x, const UnaryParams&) {
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);
}

template <class D, class V>
HWY_INLINE V Round(D, V x, const UnaryParams&) {
  return hn::Round(x);
}

// With e = exp(-|x|), which never overflows: 1 / (1 + e) above 0, e / (1 + e) below.
template <class D, class V>
HWY_INLINE V Sigmoid(D d, V x, const UnaryParams&) {
  const V one = hn::Set(d, 1.0f);
  const V e = exp_of_number(d, hn::Neg(hn::Abs(x)));
  const V y = hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

template <class D, class V>
HWY_INLINE V Softplus(D d, V x, const UnaryParams&) {
  const V tail = hn::Log1p(d, exp_of_number(d, hn::Neg(hn::Abs(x))));
  const V y = hn::Add(hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Zero(d)), tail);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

template <class D, class V>
HWY_INLINE V Softsign(D d, V x, const UnaryParams&) {
  const V y = hn::Div(x, hn::Add(hn::Set(d, 1.0f), hn::Abs(x)));
  return hn::IfThenElse(hn::Eq(hn::Abs(x), hn::Set(d, kInfinity)), hn::CopySign(hn::Set(d, 1.0f), x), y);
}

template <class D, class V>
HWY_INLINE V Sqrt(D, V x, const UnaryParams&) {
  return hn::Sqrt(x);
}

template <class D, class V>
HWY_INLINE V Tanh(D d, V x, const UnaryParams&) {
  return hn::Tanh(d, x);
}

// body(double tag, double vector) for each part of a vector of floats.
template <class D, class V, class Body>
HWY_INLINE V in_double(D d, V x, const Body& body) {
  const hn::ScalableTag<double> dd;
  const hn::Rebind<float, decltype(dd)> part;
  HWY_ALIGN float lanes[hn::MaxLanes(D())];
  hn::Store(x, d, lanes);
  for (size_t i = 0; i < hn::Lanes(d); i += hn::Lanes(dd)) {
    hn::Store(hn::DemoteTo(part, body(dd, hn::PromoteTo(dd, hn::Load(part, lanes + i)))), part, lanes + i);
  }
  return hn::Load(d, lanes);
}

// The vector reduction of the argument holds up to here; the rare lanes beyond go one by one.
inline constexpr float kLargestAngle = 1e6f;

template <class D, class V>
HWY_INLINE V beyond_largest_angle(D d, V x, V y, double (*function)(double)) {
  const auto is_large = hn::Not(hn::Le(hn::Abs(x), hn::Set(d, kLargestAngle)));
  if (hn::AllFalse(d, is_large)) return y;
  HWY_ALIGN float in[hn::MaxLanes(D())];
  HWY_ALIGN float out[hn::MaxLanes(D())];
  hn::Store(x, d, in);
  hn::Store(y, d, out);
  for (size_t i = 0; i < hn::Lanes(d); ++i) {
    if (!(std::abs(in[i]) <= kLargestAngle)) out[i] = static_cast<float>(function(static_cast<double>(in[i])));
  }
  return hn::Load(d, out);
}

// `y`, but x where x is zero: odd functions keep its sign.
template <class D, class V>
HWY_INLINE V zero_through(D d, V x, V y) {
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, y);
}

template <class D, class V>
HWY_INLINE V Sin(D d, V x, const UnaryParams&) {
  const V y = zero_through(d, x, in_double(d, x, [](auto dd, auto v) HWY_ATTR { return hn::Sin(dd, v); }));
  return beyond_largest_angle(d, x, y, std::sin);
}

template <class D, class V>
HWY_INLINE V Cos(D d, V x, const UnaryParams&) {
  const V y = in_double(d, x, [](auto dd, auto v) HWY_ATTR { return hn::Cos(dd, v); });
  return beyond_largest_angle(d, x, y, std::cos);
}

// `y`, but x where x is NaN.
template <class D, class V>
HWY_INLINE V nan_through(D, V x, V y) {
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

// The body is one function of the math library, which loses nothing in double.
template <class D, class V>
HWY_INLINE V Acos(D d, V x, const UnaryParams&) {
  return nan_through(d, x, in_double(d, x, [](auto dd, auto v) HWY_ATTR { return hn::Acos(dd, v); }));
}

template <class D, class V>
HWY_INLINE V Asin(D d, V x, const UnaryParams&) {
  return nan_through(d, x, in_double(d, x, [](auto dd, auto v) HWY_ATTR { return hn::Asin(dd, v); }));
}

template <class D, class V>
HWY_INLINE V Atan(D d, V x, const UnaryParams&) {
  return nan_through(d, x, in_double(d, x, [](auto dd, auto v) HWY_ATTR { return hn::Atan(dd, v); }));
}

template <class D, class V>
HWY_INLINE V Acosh(D d, V x, const UnaryParams&) {
  const V finite = clamp(d, x, hn::Set(d, 1.0f), hn::Set(d, std::numeric_limits<float>::max()));
  const V y = in_double(d, finite, [](auto dd, auto v) HWY_ATTR { return hn::Acosh(dd, v); });
  const V below = hn::IfThenElse(hn::Lt(x, hn::Set(d, 1.0f)), hn::NaN(d), y);
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, kInfinity)), below, x);  // infinity and NaN are their own results
}

template <class D, class V>
HWY_INLINE V Asinh(D d, V x, const UnaryParams&) {
  const V most = hn::Set(d, std::numeric_limits<float>::max());
  const V y = in_double(d, clamp(d, x, hn::Neg(most), most), [](auto dd, auto v) HWY_ATTR { return hn::Asinh(dd, v); });
  return hn::IfThenElse(hn::Lt(hn::Abs(x), hn::Set(d, kInfinity)), y, x);
}

template <class D, class V>
HWY_INLINE V Atanh(D d, V x, const UnaryParams&) {
  const V one = hn::Set(d, 1.0f), size = hn::Abs(x);
  const V inside = hn::IfThenElse(hn::Lt(size, one), x, hn::Zero(d));
  const V y = in_double(d, inside, [](auto dd, auto v) HWY_ATTR { return hn::Atanh(dd, v); });
  const V edge = hn::IfThenElse(hn::Eq(size, one), hn::CopySign(hn::Set(d, kInfinity), x), hn::NaN(d));
  return hn::IfThenElse(hn::Lt(size, one), y, edge);
}

template <class D, class V>
HWY_INLINE V Celu(D d, V x, const UnaryParams& p) {
  const V alpha = hn::Set(d, p.alpha);
  const V below = hn::Expm1(d, clamp(d, hn::Div(x, alpha), hn::Set(d, -105.0f), hn::Set(d, 89.0f)));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(alpha, below), x);
}

// e^100 is infinite as a float.
template <class D, class V>
HWY_INLINE V Cosh(D d, V x, const UnaryParams&) {
  const V size = clamp(d, hn::Abs(x), hn::Zero(d), hn::Set(d, 100.0f));
  const V y = in_double(d, size, [](auto dd, auto v) HWY_ATTR {
    const auto e = hn::Exp(dd, v);
    return hn::Mul(hn::Set(dd, 0.5), hn::Add(e, hn::Div(hn::Set(dd, 1.0), e)));
  });
  return nan_through(d, x, y);
}

template <class D, class V>
HWY_INLINE V Sinh(D d, V x, const UnaryParams&) {
  const V bounded = clamp(d, x, hn::Set(d, -100.0f), hn::Set(d, 100.0f));
  return nan_through(d, x, in_double(d, bounded, [](auto dd, auto v) HWY_ATTR { return hn::Sinh(dd, v); }));
}

// Below -15 the result is 0 within the slack.
template <class D, class V>
HWY_INLINE V Gelu(D d, V x, const UnaryParams& p) {
  const V bounded = hn::IfThenElse(hn::Lt(x, hn::Set(d, -15.0f)), hn::Set(d, -15.0f), x);
  const V erf = Erf(d, hn::Mul(bounded, hn::Set(d, 0.70710678118654752f)), p);
  return nan_through(d, x, hn::Mul(hn::Mul(hn::Set(d, 0.5f), bounded), hn::Add(hn::Set(d, 1.0f), erf)));
}

// x / (1 + e^-2u) with u = sqrt(2 / pi) (x + 0.044715 x^3), which is 0.5 x (1 + tanh u).
template <class D, class V>
HWY_INLINE V GeluTanh(D d, V x, const UnaryParams&) {
  const V bounded = hn::IfThenElse(hn::Lt(x, hn::Set(d, -20.0f)), hn::Set(d, -20.0f), x);
  const V y = in_double(d, bounded, [](auto dd, auto v) HWY_ATTR {
    const auto least = hn::Min(v, hn::Set(dd, 20.0));
    const auto cubic = hn::MulAdd(hn::Mul(hn::Set(dd, 0.044715), least), least, hn::Set(dd, 1.0));
    const auto e = hn::Exp(dd, hn::Mul(hn::Mul(hn::Set(dd, -1.5957691216057308), least), cubic));
    return hn::Div(v, hn::Add(hn::Set(dd, 1.0), e));
  });
  return nan_through(d, x, y);
}

// x n / (n + 2) with n = e^x (e^x + 2), which is x tanh(log(1 + e^x)).
template <class D, class V>
HWY_INLINE V Mish(D d, V x, const UnaryParams&) {
  const V bounded = hn::IfThenElse(hn::Lt(x, hn::Set(d, -200.0f)), hn::Set(d, -200.0f), x);
  const V y = in_double(d, bounded, [](auto dd, auto v) HWY_ATTR {
    const auto two = hn::Set(dd, 2.0);
    const auto e = hn::Exp(dd, hn::Min(v, hn::Set(dd, 40.0)));
    const auto n = hn::Mul(e, hn::Add(e, two));
    return hn::Mul(v, hn::Div(n, hn::Add(n, two)));
  });
  return nan_through(d, x, y);
}

template <class D, class V>
HWY_INLINE V Selu(D d, V x, const UnaryParams& p) {
  const V below = hn::Mul(hn::Set(d, p.alpha), hn::Expm1(d, clamp(d, x, hn::Set(d, -105.0f), hn::Zero(d))));
  return nan_through(d, x, hn::Mul(hn::Set(d, p.beta), hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, below)));
}

template <class D, class V>
HWY_INLINE V Shrink(D d, V x, const UnaryParams& p) {
  const V bias = hn::Set(d, p.beta);
  const V above = hn::IfThenElseZero(hn::Gt(x, hn::Set(d, p.alpha)), hn::Sub(x, bias));
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, -p.alpha)), hn::Add(x, bias), above);
}

template <class D, class V>
HWY_INLINE V Sign(D d, V x, const UnaryParams&) {
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Zero(d), nan_through(d, x, hn::CopySign(hn::Set(d, 1.0f), x)));
}

template <class D, class V>
HWY_INLINE V Swish(D d, V x, const UnaryParams& p) {
  const V t = hn::Mul(hn::Set(d, p.alpha), x);
  const V y = hn::Mul(x, Sigmoid(d, t, p));
  return hn::IfThenElse(hn::Lt(t, hn::Set(d, -105.0f)), hn::Zero(d), y);
}

template <class D, class V>
HWY_INLINE V Tan(D d, V x, const UnaryParams&) {
  const V y = zero_through(d, x, in_double(d, x, [](auto dd, auto v) HWY_ATTR { return hn::Div(hn::Sin(dd, v), hn::Cos(dd, v)); }));
  return beyond_largest_angle(d, x, y, std::tan);
}

template <class D, class V>
HWY_INLINE V ThresholdedRelu(D d, V x, const UnaryParams& p) {
  return hn::IfThenElseZero(hn::Gt(x, hn::Set(d, p.alpha)), x);
}

}  // namespace bodies
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
