#include "kernels/cpu/fft/fft.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <random>

namespace sardonyx::kernels {
namespace {

using Exact = std::complex<long double>;

// By the definition.
template <class Value>
std::vector<Exact> oracle(const std::vector<Value>& x, bool inverse) {
  const size_t size = x.size();
  std::vector<Exact> roots, y(size);
  for (size_t k = 0; k < size; ++k) {
    const long double angle = 2 * std::numbers::pi_v<long double> * static_cast<long double>(k) / static_cast<long double>(size);
    roots.push_back(std::polar(1.0L, inverse ? angle : -angle));
  }
  for (size_t k = 0; k < size; ++k) {
    long double real = 0, imag = 0;
    for (size_t n = 0, at = 0; n < size; ++n, at = at + k < size ? at + k : at + k - size) {
      const Exact value(x[n]);
      real += value.real() * roots[at].real() - value.imag() * roots[at].imag();
      imag += value.real() * roots[at].imag() + value.imag() * roots[at].real();
    }
    y[k] = {real, imag};
  }
  return y;
}

// What a value of a transform of `size` values of a normal distribution may be off by.
template <class Real>
double bound(size_t size) {
  const auto n = static_cast<double>(size);
  return 2 * static_cast<double>(std::numeric_limits<Real>::epsilon()) * std::sqrt(n) * (2 + std::log2(n));
}

template <class Real>
class FftOf : public testing::Test {
 protected:
  using Value = std::complex<Real>;

  std::vector<Value> random_values(size_t size) {
    std::vector<Value> values(size);
    for (Value& value : values) value = {static_cast<Real>(normal_(generator_)), static_cast<Real>(normal_(generator_))};
    return values;
  }

  template <class Transform>
  static std::vector<Value> transformed(const Transform& transform, std::vector<Value> values) {
    std::vector<Value> scratch(transform.scratch_values());
    transform.transform(values.data(), scratch.data());
    return values;
  }

  void expect_agrees(size_t size, bool inverse) {
    const std::vector<Value> x = random_values(size), y = transformed(Fft<Real>(size, inverse), x);
    const std::vector<Exact> expected = oracle(x, inverse);
    for (size_t k = 0; k < size; ++k) {
      ASSERT_NEAR(static_cast<double>(std::abs(Exact(y[k]) - expected[k])), 0, bound<Real>(size)) << "size " << size << ", element " << k;
    }
  }

  void expect_real_agrees(size_t size) {
    std::vector<Value> x = random_values(size), packed(size);
    for (size_t k = 0; k < size; ++k) {
      x[k].imag(0);
      reinterpret_cast<Real*>(packed.data())[k] = x[k].real();
    }
    const std::vector<Value> y = transformed(RealFft<Real>(size), packed);
    const std::vector<Exact> expected = oracle(x, false);
    for (size_t k = 0; k <= size / 2; ++k) {
      ASSERT_NEAR(static_cast<double>(std::abs(Exact(y[k]) - expected[k])), 0, bound<Real>(size)) << "size " << size << ", element " << k;
    }
    EXPECT_EQ(y[0].imag(), 0);
    if (size % 2 == 0) {
      EXPECT_EQ(y[size / 2].imag(), 0) << size;
    }
  }

  std::mt19937 generator_{18};
  std::normal_distribution<double> normal_;
};

using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(FftOf, Reals, );

// Powers, products of the radices with code of their own, others, primes of both kinds, and neighbours of powers.
constexpr size_t kLarger[] = {77,  100, 121, 127, 128,  169,  210,  251,  343,     360,  509, 500,
                              512, 521, 625, 997, 1000, 1001, 1024, 1331, 2 * 499, 4095, 4097};

TYPED_TEST(FftOf, EverySmallSizeAgreesWithTheDefinition) {
  for (size_t size = 1; size <= 64; ++size) {
    for (const bool inverse : {false, true}) this->expect_agrees(size, inverse);
    this->expect_real_agrees(size);
  }
}

TYPED_TEST(FftOf, LargerSizesAgreeWithTheDefinition) {
  for (const size_t size : kLarger) {
    this->expect_agrees(size, size % 4 < 2);
    this->expect_real_agrees(size);
  }
}

TYPED_TEST(FftOf, TheInverseGivesTheValuesBack) {
  for (const size_t size : {6u, 1000u, 4096u, 10007u, 15015u, 65536u, 100000u}) {
    const auto x = this->random_values(size);
    const auto y = this->transformed(Fft<TypeParam>(size, true), this->transformed(Fft<TypeParam>(size, false), x));
    const auto scale = 1 / static_cast<TypeParam>(size);
    const double tolerance = 4 * bound<TypeParam>(size) / std::sqrt(static_cast<double>(size));
    for (size_t k = 0; k < size; ++k) ASSERT_LE(std::abs(y[k] * scale - x[k]), tolerance) << "size " << size << ", element " << k;
  }
}

// Tables and scratch take a few times the memory of the signal, whatever its factors are.
TEST(Fft, ScratchIsLinear) {
  for (size_t size = 1; size < 3000; ++size) {
    ASSERT_LE(Fft<float>(size, false).scratch_values(), 8 * size) << size;
  }
}

TEST(MixedRadix, FactorsComeInTheirOrder) {
  using Radices = std::vector<size_t>;
  EXPECT_EQ(radices_of(1), Radices());
  EXPECT_EQ(radices_of(2), Radices({2}));
  EXPECT_EQ(radices_of(10), Radices({2, 5}));
  EXPECT_EQ(radices_of(1024), Radices({4, 4, 4, 4, 4}));
  EXPECT_EQ(radices_of(480), Radices({2, 4, 4, 3, 5}));
  EXPECT_EQ(radices_of(2 * 7 * 13 * 13), Radices({2, 7, 13, 13}));
  EXPECT_EQ(radices_of(997), Radices({997}));
}

TEST(MixedRadix, SmoothSizes) {
  size_t expected = 1;
  const auto is_smooth = [](size_t value) {
    for (const size_t prime : {2, 3, 5}) {
      while (value % prime == 0) value /= prime;
    }
    return value == 1;
  };
  for (size_t size = 1; size <= 2000; ++size) {
    while (expected < size || !is_smooth(expected)) ++expected;
    ASSERT_EQ(smooth_at_least(size), expected);
  }
}

TEST(Roots, AreExactOnTheAxesAndMirrorEachOther) {
  for (const size_t size : {1u, 4u, 12u, 1000u, 65521u}) {
    const Roots roots(size);
    EXPECT_EQ(roots.at<float>(0), std::complex<float>(1));
    for (size_t k = 1; k < size; ++k) {
      ASSERT_EQ(roots.at<double>(k), std::conj(roots.at<double>(size - k))) << k << " of " << size;
      const long double angle = 2 * std::numbers::pi_v<long double> * static_cast<long double>(k) / static_cast<long double>(size);
      ASSERT_NEAR(std::abs(roots.at<double>(k) - std::complex<double>(std::polar(1.0L, angle))), 0, 2.3e-16);
    }
    if (size % 4 == 0) {
      EXPECT_EQ(roots.at<double>(size / 4), std::complex<double>(0, 1));
    }
  }
}

// Exact results of a sum of tones, whose roundings depend on the order of operations: 10 = 2 * 5 of single precision.
TEST(MixedRadix, RoundsAsFftpackDoes) {
  std::vector<std::complex<float>> x(10), scratch;
  for (size_t k = 0; k < x.size(); ++k) x[k] = static_cast<float>(10 * k);
  const Fft<float> fft(10, true);
  scratch.resize(fft.scratch_values());
  fft.transform(x.data(), scratch.data());
  EXPECT_EQ(x[5].real() * 0.1f, -5.0f);
  EXPECT_EQ(x[5].imag() * 0.1f, 0x1.99999ap-23f);
}

}  // namespace
}  // namespace sardonyx::kernels
