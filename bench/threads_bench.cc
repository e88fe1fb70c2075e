// Times what the thread pool costs and gives: single loops, a loop between serial work, several callers of one pool or of a pool each,
// two sessions run from four threads, and the processor time of an idle process.
//
//   threads_bench [THREADS [MODEL...]]     THREADS of a pool (default: all processors); models run with zeros, symbolic axes as 1
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "sardonyx/build.h"
#include "sardonyx/session.h"

namespace {

using sardonyx::core::ThreadPool;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void count_to(size_t steps) {
  for (size_t step = 0; step < steps; ++step) {
    std::atomic_signal_fence(std::memory_order_seq_cst);  // keeps the loop
  }
}

// Work that takes about so many microseconds of an undisturbed processor.
void compute(double microseconds) {
  static const double per_microsecond = [] {
    constexpr size_t kSteps = 2'000'000;
    double best = 1;
    for (int i = 0; i < 5; ++i) {
      const Clock::time_point begin = Clock::now();
      count_to(kSteps);
      best = std::min(best, seconds_since(begin));
    }
    return kSteps / (best * 1e6);
  }();
  count_to(static_cast<size_t>(microseconds * per_microsecond));
}

// Median microseconds of one call.
double median_time(int calls, const std::function<void()>& call) {
  std::vector<double> times;
  for (int i = 0; i < calls; ++i) {
    const Clock::time_point begin = Clock::now();
    call();
    times.push_back(seconds_since(begin) * 1e6);
  }
  std::ranges::nth_element(times, times.begin() + calls / 2);
  return times[static_cast<size_t>(calls) / 2];
}

void single_loops(int threads) {
  ThreadPool pool(threads);
  std::printf("one loop after another, %d threads: median microseconds (of them computing, if it were alone)\n%10s", threads, "us/index");
  const std::vector<size_t> counts = {2, 4, 16, 64};
  for (const size_t count : counts) std::printf("%10zu idx        ", count);
  std::printf("\n");
  for (const double cost : {0.1, 1.0, 5.0, 20.0, 200.0}) {
    std::printf("%10.1f", cost);
    for (const size_t count : counts) {
      const int calls = cost > 100 ? 300 : 2000;
      const double together = median_time(calls, [&] { pool.for_each(count, [&](size_t) { compute(cost); }); });
      std::printf("%11.1f (%8.1f)", together, cost * static_cast<double>(count));
    }
    std::printf("\n");
  }
}

void loops_between_serial_work(int threads) {
  ThreadPool pool(threads);
  std::printf("loops of 8 x 10 us with serial work between them, %d threads: median microseconds of a loop\n", threads);
  for (const double pause : {0.0, 5.0, 15.0, 50.0, 500.0}) {
    std::vector<double> times;
    for (int i = 0; i < 500; ++i) {
      compute(pause);
      const Clock::time_point begin = Clock::now();
      pool.for_each(8, [&](size_t) { compute(10); });
      times.push_back(seconds_since(begin) * 1e6);
    }
    std::ranges::nth_element(times, times.begin() + 250);
    std::printf("  after %5.0f us: %7.1f\n", pause, times[250]);
  }
}

// Runs per second when `callers` threads, each in turn with its own share of `work`, run for `seconds`.
double throughput(size_t callers, double seconds, const std::function<void(size_t caller)>& work) {
  std::atomic<bool> stop{false};
  std::atomic<size_t> runs{0};
  std::vector<std::thread> threads;
  const Clock::time_point begin = Clock::now();
  for (size_t caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      while (!stop) {
        work(caller);
        ++runs;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(runs) / seconds_since(begin);
}

// The best of three rounds, in which the variants take turns.
void compare(const char* title, const std::vector<std::pair<std::string, std::function<double()>>>& variants) {
  std::vector<double> best(variants.size());
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < variants.size(); ++i) best[i] = std::max(best[i], variants[i].second());
  }
  std::printf("%s: per second", title);
  for (size_t i = 0; i < variants.size(); ++i) std::printf("  %s %.1f (%.2fx)", variants[i].first.c_str(), best[i], best[i] / best[0]);
  std::printf("\n");
}

void several_callers(int threads) {
  ThreadPool shared(threads), other(threads);
  const auto run = [](ThreadPool& pool) {
    for (int step = 0; step < 20; ++step) {
      pool.for_each(8, [](size_t) { compute(15); });
      compute(5);
    }
  };
  compare("20 loops of 8 x 15 us",
          {{"1 caller", [&] { return throughput(1, 0.5, [&](size_t) { run(shared); }); }},
           {"2 callers", [&] { return throughput(2, 0.5, [&](size_t) { run(shared); }); }},
           {"4 callers", [&] { return throughput(4, 0.5, [&](size_t) { run(shared); }); }},
           {"4 callers, 2 pools", [&] { return throughput(4, 0.5, [&](size_t caller) { run(caller % 2 ? other : shared); }); }}});
}

sardonyx::Feeds zero_feeds(const sardonyx::InferenceSession& session) {
  sardonyx::Feeds feeds;
  for (const sardonyx::NodeArg& input : session.inputs()) {
    sardonyx::Shape shape;
    for (const auto& axis : input.shape().value_or(std::vector<sardonyx::NodeArg::Axis>{})) {
      const int64_t* size = std::get_if<int64_t>(&axis);
      shape.push_back(size ? *size : 1);
    }
    feeds.emplace_back(input.name, sardonyx::Tensor::zeros(shape, input.type.tensor()->dtype()));
  }
  return feeds;
}

using Open = std::function<sardonyx::InferenceSession(sardonyx::SessionOptions)>;

void two_sessions(const std::string& title, int threads, const Open& open) {
  const auto pool = sardonyx::make_thread_pool(threads);
  std::vector<sardonyx::InferenceSession> sharing, apart;
  for (int i = 0; i < 2; ++i) {
    sharing.push_back(open({.thread_pool = pool}));
    apart.push_back(open({.intra_op_num_threads = threads}));
  }
  const sardonyx::Feeds feeds = zero_feeds(sharing[0]);
  const auto run = [&](const sardonyx::InferenceSession& session) { session.run(feeds); };
  const double once = median_time(20, [&] { run(sharing[0]); });
  std::printf("%s: %.1f us a run\n", title.c_str(), once);
  compare("  runs", {{"1 caller", [&] { return throughput(1, 1, [&](size_t) { run(sharing[0]); }); }},
                     {"4 callers, 2 sessions, shared pool", [&] { return throughput(4, 1, [&](size_t c) { run(sharing[c % 2]); }); }},
                     {"4 callers, 2 sessions, own pools", [&] { return throughput(4, 1, [&](size_t c) { run(apart[c % 2]); }); }}});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double before = processor_seconds();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  std::printf("  idle afterwards: %.3f %% of a processor\n", (processor_seconds() - before) / 2 * 100);
}

// A chain of so many nodes of one kind: no time for anything but overhead.
sardonyx::model::Model chain(size_t nodes, int64_t elements) {
  using namespace sardonyx::model;
  std::vector<Node> list;
  std::string value = "x";
  const char* const kinds[] = {"Abs", "Neg", "Tanh", "Floor"};
  for (size_t i = 0; i < nodes; ++i) {
    const std::string next = i + 1 == nodes ? "y" : "t" + std::to_string(i);
    list.push_back(make_node(kinds[i % 4], {value}, {next}));
    value = next;
  }
  return make_model(make_graph(std::move(list), "chain", {make_tensor_value_info("x", sardonyx::DType::kFloat32, {elements})},
                               {make_tensor_value_info("y", sardonyx::DType::kFloat32, {elements})}));
}

void small_models(int threads) {
  for (const int64_t elements : {int64_t{1}, int64_t{10000}, int64_t{100000}}) {
    sardonyx::InferenceSession session(chain(100, elements), {.intra_op_num_threads = threads});
    const sardonyx::Feeds feeds = zero_feeds(session);
    const double time = median_time(elements > 10000 ? 300 : 2000, [&] { session.run(feeds); });
    std::printf("100 elementwise nodes of %lld elements, %d threads: %.1f us\n", static_cast<long long>(elements), threads, time);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : sardonyx::core::default_thread_count();
  single_loops(threads);
  loops_between_serial_work(threads);
  several_callers(threads);
  small_models(threads);
  two_sessions("100 elementwise nodes of 10000 elements", threads,
               [](sardonyx::SessionOptions options) { return sardonyx::InferenceSession(chain(100, 10000), std::move(options)); });
  for (int i = 2; i < argc; ++i) {
    two_sessions(argv[i], threads,
                 [&](sardonyx::SessionOptions options) { return sardonyx::InferenceSession(argv[i], std::move(options)); });
  }
}
