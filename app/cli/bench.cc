#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/made_up_inputs.h"
#include "sardonyx/process.h"
#include "sardonyx/session.h"

namespace sardonyx::cli {

namespace {
using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string model;
  int threads = 0;
  int runs = 0;
  InputOptions inputs;
  std::string profile;
  RewriteOptions rewrites;
  std::vector<std::string> custom_ops;
  bool json = false;
};

struct Timing {
  double create_ms = 0, median_ms = 0, min_ms = 0, p90_ms = 0, peak_rss_mb = 0;
  size_t runs = 0;
  int threads = 0;
};

double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

Timing measure(const Arguments& arguments) {
  constexpr double kEnoughMs = 2000;
  constexpr size_t kLeastRuns = 10, kMostRuns = 1000, kWarmUps = 2;
  Timing timing;
  SessionOptions options;
  options.intra_op_num_threads = arguments.threads;
  arguments.rewrites.set(options);
  options.free_dimension_overrides = arguments.inputs.dim_sizes();
  options.profile_path = arguments.profile;
  options.custom_ops = load_custom_ops(arguments.custom_ops);
  const Clock::time_point start = Clock::now();
  InferenceSession session(arguments.model, options);
  timing.create_ms = milliseconds_since(start);
  timing.threads = session.threads();
  const Feeds feeds = make_feeds(session, arguments.inputs);
  for (size_t i = 0; i < kWarmUps; ++i) session.run(feeds);

  Progress progress("bench");
  std::vector<double> times;
  double total = 0;
  const auto enough = [&] {
    if (arguments.runs > 0) return times.size() >= static_cast<size_t>(arguments.runs);
    return times.size() >= kMostRuns || (times.size() >= kLeastRuns && total >= kEnoughMs);
  };
  while (!enough()) {
    const Clock::time_point before = Clock::now();
    session.run(feeds);
    times.push_back(milliseconds_since(before));
    total += times.back();
    progress.show(fmt::format("{} runs", times.size()));
  }
  session.end_profiling();
  std::sort(times.begin(), times.end());
  timing.runs = times.size();
  timing.min_ms = times.front();
  timing.median_ms = times[times.size() / 2];
  timing.p90_ms = times[std::min(times.size() - 1, times.size() * 9 / 10)];
  timing.peak_rss_mb = static_cast<double>(peak_resident_memory()) / 1e6;
  return timing;
}

int bench(const Arguments& arguments) {
  const Timing timing = measure(arguments);
  if (arguments.json) {
    const nlohmann::ordered_json report = {{"model", arguments.model},      {"threads", timing.threads},        {"runs", timing.runs},
                                           {"create_ms", timing.create_ms}, {"median_ms", timing.median_ms},    {"min_ms", timing.min_ms},
                                           {"p90_ms", timing.p90_ms},       {"peak_rss_mb", timing.peak_rss_mb}};
    print(report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  } else {
    print(fmt::format("created in {:.2f} ms; {} with {}: median {:.3f} ms, min {:.3f}, p90 {:.3f}; peak memory {:.1f} MB\n",
                      timing.create_ms, count_of(timing.runs, "run"), count_of(static_cast<size_t>(timing.threads), "thread"),
                      timing.median_ms, timing.min_ms, timing.p90_ms, timing.peak_rss_mb));
  }
  return 0;
}
}  // namespace

void add_bench(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("bench", "Times a model on made-up inputs: creation, median, least and 90th percentile, peak memory.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  add_threads_option(*command, arguments->threads);
  command->add_option("--runs", arguments->runs, "Timed runs; 0: two seconds of them, at least 10")->check(CLI::NonNegativeNumber);
  arguments->inputs.add_options(*command);
  arguments->rewrites.add_options(*command);
  add_profile_option(*command, arguments->profile);
  add_custom_ops_option(*command, arguments->custom_ops);
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->callback([arguments, &status] { status = bench(*arguments); });
}

}  // namespace sardonyx::cli
