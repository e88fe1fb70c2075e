// How long a run goes on after its caller asks it to end, operator by operator.
//
//   cancel_bench [THREADS [FILTER [FROM]]]        FILTER: a part of the name; FROM: of the first one's
//
// Each operator runs on inputs that take it long, is cancelled on the way, and again by a deadline. Printed are the time of a whole run
// and, over several tries, the longest time from the request to the return: on the clock, and, with one thread, in processor time of the
// running thread, which other work on the machine does not disturb.
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "cancel_cases.h"
#include "sardonyx/build.h"
#include "sardonyx/error.h"
#include "sardonyx/session.h"
#include "sardonyx/text.h"

namespace {

using namespace sardonyx;
using namespace sardonyx::model;
using cancel_bench::Case;
using cancel_bench::MakeCase;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

double processor_milliseconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

std::string input_name(size_t i) { return "i" + std::to_string(i); }
bool is_constant(const Case& c, size_t i) { return i < c.constant.size() && c.constant[i]; }

Model model_of(const Case& c) {
  if (!c.text.empty()) return parse_text_model(c.text);
  std::vector<ValueInfo> inputs, outputs;
  std::vector<TensorData> initializers;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.inputs[i].defined()) continue;
    if (is_constant(c, i)) {
      initializers.push_back(encode(c.inputs[i], input_name(i)));
      continue;
    }
    const Shape& shape = c.inputs[i].shape();
    inputs.push_back(make_tensor_value_info(input_name(i), c.inputs[i].dtype(), std::vector<Dimension>(shape.begin(), shape.end())));
  }
  for (size_t i = 0; i < c.outputs.size(); ++i) outputs.push_back(make_tensor_value_info("o" + std::to_string(i), c.outputs[i]));
  std::vector<OpsetId> opsets = {make_opsetid("", c.opset)};
  if (!c.node.domain.empty()) opsets.push_back(make_opsetid(c.node.domain, c.node.domain == "ai.onnx.ml" ? 4 : 1));
  Graph graph = make_graph({c.node}, "one", std::move(inputs), std::move(outputs), std::move(initializers));
  return make_model(std::move(graph), {.opset_imports = std::move(opsets)});
}

// From the request to the return, the longest over the tries.
struct Latency {
  double clock = 0, processor = 0;
  int ended = 0;  // runs that were done before the request
};

class Runner {
 public:
  Runner(const Case& c, int threads) : model_(model_of(c)), options_{.intra_op_num_threads = threads}, is_packed_(!c.constant.empty()) {
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      if (c.inputs[i].defined() && !is_constant(c, i)) feeds_.emplace_back(input_name(i), c.inputs[i]);
    }
    pthread_getcpuclockid(pthread_self(), &processor_);
    open();
  }

  // In processor time of this thread, or, with several threads, on the clock. Of the second run, where the first one packs nothing.
  double whole_run() {
    if (!is_packed_) session_->run(feeds_);
    const double begin = processor_milliseconds(processor_);
    const Clock::time_point clock_begin = Clock::now();
    session_->run(feeds_);
    return options_.intra_op_num_threads == 1 ? processor_milliseconds(processor_) - begin : milliseconds(Clock::now() - clock_begin);
  }

  void cancel_after(double wait, Latency& latency) {
    if (is_packed_) open();
    std::stop_source source;
    std::atomic<bool> ended = false;
    Clock::time_point asked{};
    double processor_then = 0;
    const double begin = processor_milliseconds(processor_);
    std::thread canceller([&] {
      while (!ended && processor_milliseconds(processor_) - begin < wait) std::this_thread::sleep_for(std::chrono::microseconds(200));
      processor_then = processor_milliseconds(processor_);
      asked = Clock::now();
      source.request_stop();
    });
    const bool cancelled = is_cancelled({.cancel = source.get_token()});
    const Clock::time_point end = Clock::now();
    const double processor_now = processor_milliseconds(processor_);
    ended = true;
    canceller.join();
    note(cancelled, milliseconds(end - asked), processor_now - processor_then, latency);
  }

  void deadline_after(double wait, Latency& latency) {
    if (is_packed_) open();
    const Clock::time_point deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(wait));
    const bool cancelled = is_cancelled({.deadline = deadline});
    note(cancelled, milliseconds(Clock::now() - deadline), 0, latency);
  }

 private:
  void open() { session_.emplace(model_, options_); }

  static void note(bool cancelled, double clock, double processor, Latency& latency) {
    if (!cancelled) {
      ++latency.ended;
      return;
    }
    latency.clock = std::max(latency.clock, clock);
    latency.processor = std::max(latency.processor, processor);
  }

  bool is_cancelled(const RunOptions& options) {
    try {
      session_->run(feeds_, options);
      return false;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCancelled) throw;
      return true;
    }
  }

  model::Model model_;
  SessionOptions options_;
  bool is_packed_;
  std::optional<InferenceSession> session_;
  Feeds feeds_;
  clockid_t processor_{};
};

void report(const Case& c, int threads) {
  constexpr int kTries = 12;
  Runner runner(c, threads);
  const double whole = runner.whole_run();
  Latency cancel, deadline;
  for (int i = 0; i < kTries; ++i) {
    const double wait = whole * (i + 0.5) / (kTries + 1);
    runner.cancel_after(wait, cancel);
    if (i % 4 == 0) runner.deadline_after(wait, deadline);
  }
  std::printf("%-32s %9.1f %12.2f %12.2f %12.2f %6d\n", c.name.c_str(), whole, cancel.clock, cancel.processor, deadline.clock,
              cancel.ended + deadline.ended);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const char* filter = argc > 2 ? argv[2] : "";
  const std::string from = argc > 3 ? argv[3] : "";
  bool has_begun = from.empty();
  std::printf("%d threads; milliseconds\n%-32s %9s %12s %12s %12s %6s\n", threads, "operator", "run", "cancel", "(processor)", "deadline",
              "ended");
  for (const MakeCase& make : cancel_bench::all_cases()) {
    std::string name;
    try {
      const Case c = make();
      name = c.name;
      has_begun = has_begun || name.find(from) != std::string::npos;
      if (!has_begun || name.find(filter) == std::string::npos) continue;
      report(c, threads);
    } catch (const std::exception& error) {
      std::printf("%-32s %s\n", name.c_str(), error.what());
    }
  }
}
