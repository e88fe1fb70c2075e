// What the tests of the kernels share: guarded buffers, random cases, and runs over SIMD targets and thread counts.
#pragma once

#include <gtest/gtest.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "kernels/cpu/simd_targets.h"

#if defined(__SANITIZE_ADDRESS__)
#define SARDONYX_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SARDONYX_TEST_ASAN 1
#endif
#endif
#ifdef SARDONYX_TEST_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#endif

namespace sardonyx::kernels {

// `size` elements between two zones that nobody may write; with AddressSanitizer, nor read. Not aligned beyond the element.
template <class T>
class Guarded {
 public:
  explicit Guarded(size_t size, T fill = T()) : size_(size), bytes_(size * sizeof(T) + 2 * kZone, kMark) {
    std::fill_n(data(), size, fill);
    ASAN_POISON_MEMORY_REGION(bytes_.data(), kZone);
    ASAN_POISON_MEMORY_REGION(bytes_.data() + kZone + size * sizeof(T), kZone);
  }
  ~Guarded() {
    ASAN_UNPOISON_MEMORY_REGION(bytes_.data(), bytes_.size());
    for (size_t i = 0; i < kZone; ++i) {
      EXPECT_EQ(bytes_[i], kMark) << "written " << kZone - i << " bytes before the buffer";
      EXPECT_EQ(bytes_[bytes_.size() - 1 - i], kMark) << "written after the buffer";
    }
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return reinterpret_cast<T*>(bytes_.data() + kZone); }
  const T* data() const { return reinterpret_cast<const T*>(bytes_.data() + kZone); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  std::vector<T> values() const { return {data(), data() + size_}; }

 private:
  static constexpr size_t kZone = 80;  // not a multiple of a cache line, so that data lies across lines
  static constexpr uint8_t kMark = 0xA5;
  size_t size_;
  std::vector<uint8_t> bytes_;
};

// Small numbers and choices from a seed that a failing test prints.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  size_t from(size_t low, size_t high) { return std::uniform_int_distribution<size_t>(low, high)(engine_); }
  bool coin() { return from(0, 1) == 1; }
  float number() { return std::uniform_real_distribution<float>(-1.0f, 1.0f)(engine_); }
  void fill(Guarded<float>& values) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = number();
  }

 private:
  std::mt19937 engine_;
};

// Calls body() with each SIMD target that is compiled in and that this machine has.
template <class Body>
void for_each_target(const Body& body) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(std::string("target ") + hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    body();
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    if (testing::Test::HasFailure()) return;
  }
}

// Calls body(pool), which gives a vector, with 1, 2 and 3 threads; the bits must agree. Gives the result.
template <class Body>
auto same_for_all_threads(const Body& body) {
  static core::ThreadPool pools[] = {core::ThreadPool(1), core::ThreadPool(2), core::ThreadPool(3)};
  const auto expected = body(pools[0]);
  for (int i = 1; i < 3; ++i) {
    const auto actual = body(pools[i]);
    EXPECT_EQ(actual.size(), expected.size());
    if (expected.empty()) continue;
    EXPECT_EQ(std::memcmp(actual.data(), expected.data(), expected.size() * sizeof(expected[0])), 0)
        << "the result depends on the number of threads";
  }
  return expected;
}

inline core::ThreadPool& one_thread() {
  static core::ThreadPool pool(1);
  return pool;
}

// |actual - expected| <= tolerance, or both NaN, or equal infinities.
inline bool is_near(float actual, double expected, double tolerance) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected)) return static_cast<double>(actual) == expected;
  return std::abs(static_cast<double>(actual) - expected) <= tolerance;
}

}  // namespace sardonyx::kernels
