// Speed of the matrix product and of the convolutions of the super-resolution network, as a share of the machine's peak of fused
// multiply-adds, measured in the same run.
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "../bench/kernels_bench.cc"  // from src, an include folder
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kChains = 12;  // independent, to hide the latency

// `count` rounds of kChains fused multiply-adds on registers; gives the number of floating-point operations.
double run_fmas(size_t count, float* sink) {
  const hn::ScalableTag<float> d;
  const auto factor = hn::Set(d, 0.999f);
  const auto term = hn::Set(d, *sink);
  auto c0 = term, c1 = term, c2 = term, c3 = term, c4 = term, c5 = term, c6 = term, c7 = term, c8 = term, c9 = term, c10 = term, c11 = term;
  for (size_t i = 0; i < count; ++i) {
    c0 = hn::MulAdd(c0, factor, term), c1 = hn::MulAdd(c1, factor, term), c2 = hn::MulAdd(c2, factor, term);
    c3 = hn::MulAdd(c3, factor, term), c4 = hn::MulAdd(c4, factor, term), c5 = hn::MulAdd(c5, factor, term);
    c6 = hn::MulAdd(c6, factor, term), c7 = hn::MulAdd(c7, factor, term), c8 = hn::MulAdd(c8, factor, term);
    c9 = hn::MulAdd(c9, factor, term), c10 = hn::MulAdd(c10, factor, term), c11 = hn::MulAdd(c11, factor, term);
  }
  const auto sum = hn::Add(hn::Add(hn::Add(c0, c1), hn::Add(c2, c3)), hn::Add(hn::Add(c4, c5), hn::Add(c6, c7)));
  *sink = hn::GetLane(hn::Add(hn::Add(sum, c8), hn::Add(hn::Add(c9, c10), c11)));
  return 2.0 * static_cast<double>(kChains * hn::Lanes(d) * count);
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "core/parallel.h"
#include "kernels/cpu/conv/conv.h"
#include "kernels/cpu/copy/depth_to_space.h"
#include "kernels/cpu/gemm/gemm.h"

namespace sardonyx::kernels {

HWY_EXPORT(run_fmas);

namespace {

// Operations per second of one thread that does nothing but fused multiply-adds: the best of several rounds.
double measure_fma_rate() {
  double best = 0;
  float sink = 1e-3f;
  for (int round = 0; round < 10; ++round) {
    const auto start = std::chrono::steady_clock::now();
    const double operations = HWY_DYNAMIC_DISPATCH(run_fmas)(5'000'000, &sink);
    best = std::max(best, operations / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  benchmark::DoNotOptimize(sink);
  return best;
}

double fma_rate() {
  static const double rate = measure_fma_rate();
  return rate;
}

// Runs body() for each iteration and reports its speed against the peak of `threads` threads.
template <class Body>
void measure(benchmark::State& state, double operations, int threads, const Body& body) {
  const double peak = fma_rate() * threads;
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) {
    body();
    benchmark::ClobberMemory();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double rate = operations * static_cast<double>(state.iterations()) / seconds;
  state.counters["GFLOP/s"] = rate * 1e-9;
  state.counters["share_of_peak"] = rate / peak;
}

std::vector<float> numbers(size_t count) {
  std::vector<float> result(count);
  for (size_t i = 0; i < count; ++i) result[i] = static_cast<float>(i % 17) / 16.0f - 0.5f;
  return result;
}

// Arguments: m, n, k, threads, whether A is packed beforehand.
void BM_Gemm(benchmark::State& state) {
  const GemmShape shape = {static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)), static_cast<size_t>(state.range(2))};
  const auto threads = static_cast<int>(state.range(3));
  const bool is_packed = state.range(4) != 0;
  const std::vector<float> a = numbers(shape.m * shape.k);
  const std::vector<float> b = numbers(shape.k * shape.n);
  std::vector<float> c(shape.m * shape.n);
  std::vector<float> packed(packed_a_floats(shape.m, shape.k));
  const Matrix a_view = Matrix::view(a.data(), static_cast<ptrdiff_t>(shape.k));
  pack_a(shape.m, shape.k, a_view, packed.data());
  std::vector<std::byte> scratch(gemm_scratch_bytes(shape, is_packed, false, threads));
  core::ThreadPool pool(threads);
  measure(state, 2.0 * static_cast<double>(shape.m * shape.n * shape.k), threads, [&] {
    gemm(shape, is_packed ? Matrix::packed(packed.data()) : a_view, Matrix::view(b.data(), static_cast<ptrdiff_t>(shape.n)), Epilogue(),
         c.data(), static_cast<ptrdiff_t>(shape.n), scratch.data(), pool);
  });
}
BENCHMARK(BM_Gemm)
    ->ArgNames({"m", "n", "k", "threads", "packed"})
    ->Args({64, 50176, 576, 1, 1})
    ->Args({64, 50176, 576, 2, 1})
    ->Args({1024, 1024, 1024, 1, 0})
    ->Args({1024, 1024, 1024, 2, 0})
    ->Args({1, 4096, 1024, 1, 0})
    ->Args({512, 49, 4608, 1, 1})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// Arguments: input channels, output channels, kernel, threads.
void BM_Conv(benchmark::State& state) {
  ConvShape shape;
  shape.in_channels = static_cast<size_t>(state.range(0));
  shape.out_channels = static_cast<size_t>(state.range(1));
  const auto kernel = static_cast<size_t>(state.range(2));
  shape.window.in = shape.window.out = {224, 224, 1};
  shape.window.kernel = {kernel, kernel, 1};
  shape.window.pad_begin = {kernel / 2, kernel / 2, 0};
  const auto threads = static_cast<int>(state.range(3));
  const size_t depth = shape.in_channels * shape.window.kernel_size();
  const std::vector<float> x = numbers(shape.in_channels * shape.window.in_size());
  const std::vector<float> w = numbers(shape.out_channels * depth);
  const std::vector<float> bias = numbers(shape.out_channels);
  std::vector<float> packed(conv_packed_weight_floats(shape));
  conv_pack_weights(shape, w.data(), packed.data());
  std::vector<float> y(shape.out_channels * shape.window.out_size());
  std::vector<std::byte> scratch(conv_scratch_bytes(shape, threads));
  core::ThreadPool pool(threads);
  measure(state, 2.0 * static_cast<double>(depth * y.size()), threads, [&] {
    conv_run(shape, x.data(), packed.data(), {bias.data(), nullptr, Activation::relu()}, y.data(), scratch.data(), pool);
  });
}
BENCHMARK(BM_Conv)
    ->ArgNames({"in", "out", "kernel", "threads"})
    ->ArgsProduct({{1}, {64}, {5}, {1, 2}})
    ->ArgsProduct({{64}, {64}, {3}, {1, 2}})
    ->ArgsProduct({{64}, {32}, {3}, {1, 2}})
    ->ArgsProduct({{32}, {9}, {3}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// The last step of the network: 9 channels of 224 x 224 to one of 672 x 672.
void BM_PixelShuffle(benchmark::State& state) {
  const auto threads = static_cast<int>(state.range(0));
  const std::vector<float> x = numbers(9 * 224 * 224);
  std::vector<float> y(x.size());
  const StridedCopy copy = depth_to_space({1, 1, 224, 224, 3}, DepthOrder::kCrd);
  core::ThreadPool pool(threads);
  for (auto _ : state) {
    strided_copy(copy, sizeof(float), x.data(), y.data(), pool);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * 2 * x.size() * sizeof(float)));
}
BENCHMARK(BM_PixelShuffle)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sardonyx::kernels

BENCHMARK_MAIN();
#endif
