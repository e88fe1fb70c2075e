#include "sardonyx/peak.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/arena.h"
#include "core/parallel.h"
#include "kernels/cpu/simd_targets.h"
#include "sardonyx/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/peak/peak.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// Multiply-adds that wait for nothing but their own chain, in enough chains to fill two pipelines. Returns their floating-point
// operations; `sink` keeps the results alive.
double multiply_add(size_t rounds, const float* factors, float* sink) {
  const FloatTag d;
  const FloatVec a = hn::Set(d, factors[0]), b = hn::Set(d, factors[1]);
  FloatVec c0 = a, c1 = b, c2 = a, c3 = b, c4 = a, c5 = b, c6 = a, c7 = b, c8 = a, c9 = b;
  for (size_t i = 0; i < rounds; ++i) {
    c0 = hn::MulAdd(c0, a, b);
    c1 = hn::MulAdd(c1, a, b);
    c2 = hn::MulAdd(c2, a, b);
    c3 = hn::MulAdd(c3, a, b);
    c4 = hn::MulAdd(c4, a, b);
    c5 = hn::MulAdd(c5, a, b);
    c6 = hn::MulAdd(c6, a, b);
    c7 = hn::MulAdd(c7, a, b);
    c8 = hn::MulAdd(c8, a, b);
    c9 = hn::MulAdd(c9, a, b);
  }
  const FloatVec low = hn::Add(hn::Add(c0, c1), hn::Add(c2, c3)), high = hn::Add(hn::Add(c4, c5), hn::Add(c6, c7));
  *sink = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(low, high), hn::Add(c8, c9))));
  return static_cast<double>(rounds) * 10 * 2 * static_cast<double>(kLanes);
}

// Reads `count` floats, a multiple of 4 * kLanes.
void read(const float* x, size_t count, float* sink) {
  const FloatTag d;
  FloatVec s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  for (size_t i = 0; i < count; i += 4 * kLanes) {
    s0 = hn::Add(s0, hn::LoadU(d, x + i));
    s1 = hn::Add(s1, hn::LoadU(d, x + i + kLanes));
    s2 = hn::Add(s2, hn::LoadU(d, x + i + 2 * kLanes));
    s3 = hn::Add(s3, hn::LoadU(d, x + i + 3 * kLanes));
  }
  *sink = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

// Reads and writes `count` floats, a multiple of 4 * kLanes.
void scale(const float* x, size_t count, float factor, float* y) {
  const FloatTag d;
  const FloatVec f = hn::Set(d, factor);
  for (size_t i = 0; i < count; i += 4 * kLanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i), f), d, y + i);
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i + kLanes), f), d, y + i + kLanes);
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i + 2 * kLanes), f), d, y + i + 2 * kLanes);
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i + 3 * kLanes), f), d, y + i + 3 * kLanes);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {
namespace {

HWY_EXPORT(multiply_add);
HWY_EXPORT(read);
HWY_EXPORT(scale);

using Clock = std::chrono::steady_clock;
constexpr size_t kSizes[] = {size_t{256} << 10, size_t{2} << 20, size_t{16} << 20, size_t{128} << 20};
constexpr size_t kGrain = 512;  // floats; a multiple of 4 vectors of any target

double seconds_of(const std::function<void()>& work) {
  const Clock::time_point start = Clock::now();
  work();
  return std::max(std::chrono::duration<double>(Clock::now() - start).count(), 1e-9);
}

// The greatest amount per second over repeated calls of work(repeats), which does `amount` each time it repeats.
double best_rate(double amount, double budget, const std::function<void(size_t)>& work) {
  constexpr double kSample = 1e-3;  // seconds; long beside the cost of waking threads
  size_t repeats = 1;
  double spent = seconds_of([&] { work(repeats); }), best = amount / spent;
  while (spent < budget) {
    const double seconds = seconds_of([&] { work(repeats); });
    best = std::max(best, amount * static_cast<double>(repeats) / seconds);
    spent += seconds;
    if (seconds < kSample) repeats *= 2;
  }
  return best;
}

double measure_flops(core::ThreadPool& pool, double budget) {
  constexpr size_t kRounds = 1000;
  const auto threads = static_cast<size_t>(pool.threads());
  const float factors[2] = {0.999f, 1e-3f};  // the sums neither overflow nor vanish
  std::vector<float> sinks(threads * 16);
  std::vector<double> done(threads * 8);
  pool.for_each(threads, [&](size_t i) { done[i * 8] = HWY_DYNAMIC_DISPATCH(multiply_add)(kRounds, factors, &sinks[i * 16]); });
  return best_rate(done[0] * static_cast<double>(threads), budget, [&](size_t repeats) {
    pool.for_each(threads, [&](size_t i) { HWY_DYNAMIC_DISPATCH(multiply_add)(kRounds * repeats, factors, &sinks[i * 16]); });
  });
}

// Of `bytes` in all, each thread with its own part.
double measure_bandwidth(core::ThreadPool& pool, float* memory, size_t bytes, double budget) {
  const auto threads = static_cast<size_t>(pool.threads());
  const size_t part = std::max(bytes / sizeof(float) / threads / kGrain / 2, size_t{1}) * kGrain;  // floats of half of a thread's memory
  const double amount = static_cast<double>(2 * part * threads * sizeof(float));
  std::vector<float> sinks(threads * 16);
  const double reading = best_rate(amount, budget / 2, [&](size_t repeats) {
    pool.for_each(threads, [&](size_t i) {
      for (size_t r = 0; r < repeats; ++r) HWY_DYNAMIC_DISPATCH(read)(memory + i * 2 * part, 2 * part, &sinks[i * 16]);
    });
  });
  const double scaling = best_rate(amount, budget / 2, [&](size_t repeats) {
    pool.for_each(threads, [&](size_t i) {
      float* const x = memory + i * 2 * part;
      for (size_t r = 0; r < repeats; ++r) HWY_DYNAMIC_DISPATCH(scale)(x, part, 0.5f, x + part);
    });
  });
  return std::max(reading, scaling);
}

}  // namespace
}  // namespace sardonyx::kernels

namespace sardonyx {

double MachinePeak::bandwidth(size_t bytes) const noexcept {
  for (const Bandwidth& entry : bandwidths) {
    if (bytes <= entry.bytes) return entry.bytes_per_second;
  }
  return bandwidths.empty() ? 0 : bandwidths.back().bytes_per_second;
}

double MachinePeak::least_seconds(double flop, size_t bytes) const noexcept {
  const double computing = flops > 0 ? flop / flops : 0, rate = bandwidth(bytes);
  return std::max(computing, rate > 0 ? static_cast<double>(bytes) / rate : 0);
}

MachinePeak measure_peak(int threads, std::chrono::milliseconds time) {
  if (threads < 0) throw Error(ErrorCode::kInvalidArgument, fmt::format("measure_peak: {} threads; 0 means all", threads));
  core::ThreadPool pool(threads);
  MachinePeak peak;
  peak.threads = pool.threads();
  const double part = std::chrono::duration<double>(time).count() / static_cast<double>(std::size(kernels::kSizes) + 1);
  peak.flops = kernels::measure_flops(pool, part);
  const size_t least = static_cast<size_t>(pool.threads()) * 2 * kernels::kGrain * sizeof(float);
  core::Arena memory(std::max(kernels::kSizes[std::size(kernels::kSizes) - 1], least));
  auto* const floats = reinterpret_cast<float*>(memory.data());
  std::fill_n(floats, memory.size() / sizeof(float), 0.0f);
  for (const size_t bytes : kernels::kSizes) peak.bandwidths.push_back({bytes, kernels::measure_bandwidth(pool, floats, bytes, part)});
  for (size_t i = peak.bandwidths.size() - 1; i-- > 0;) {
    peak.bandwidths[i].bytes_per_second = std::max(peak.bandwidths[i].bytes_per_second, peak.bandwidths[i + 1].bytes_per_second);
  }
  return peak;
}

}  // namespace sardonyx
#endif  // HWY_ONCE
