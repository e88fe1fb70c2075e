#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "cli/command.h"
#include "sardonyx/process.h"
#include "sardonyx/session.h"

namespace sardonyx::cli {

namespace {
using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string model;
  int threads = 0;
  int runs = 0;
  std::vector<std::string> shapes, files;
  std::string level = "all";
  std::vector<std::string> without;
  bool json = false;
};

struct Timing {
  double create_ms = 0, median_ms = 0, min_ms = 0, p90_ms = 0, peak_rss_mb = 0;
  size_t runs = 0;
  int threads = 0;
};

double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

// Declared sizes; those not fixed come from --shape.
Shape input_shape(const NodeArg& input, const std::vector<std::pair<std::string, Shape>>& given) {
  for (const auto& [name, shape] : given) {
    if (name == input.name) return shape;
  }
  Shape shape;
  const std::optional<std::vector<NodeArg::Axis>> axes = input.shape();
  for (const NodeArg::Axis& axis : axes.value_or(std::vector<NodeArg::Axis>{})) {
    if (const int64_t* size = std::get_if<int64_t>(&axis)) shape.push_back(*size);
  }
  if (axes && shape.size() == axes->size()) return shape;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("the shape of {} is not fixed by the model; give it: --shape {}=1x3x224x224", to_string(input), input.name));
}

// Numbers of the type, alike in every run: reals in -1..1, small non-negative integers.
Tensor random_tensor(const Shape& shape, DType dtype, std::mt19937& random) {
  if (dtype == DType::kString) throw Error(ErrorCode::kUnsupported, "bench cannot make up strings");
  Tensor reals(shape, DType::kFloat32);
  const bool real = is_floating_point(dtype);
  for (float& value : reals.mutable_values<float>()) {
    const auto bits = static_cast<float>(random() >> 8) * 0x1p-24f;
    value = real ? 2 * bits - 1 : static_cast<float>(static_cast<int>(bits * (dtype == DType::kBool ? 2 : 100)));
  }
  return reals.to(dtype);
}

// NAME=VALUE of an option, with the input of that name.
std::pair<const NodeArg*, std::string> input_option(const InferenceSession& session, std::string_view option, const std::string& text,
                                                    std::string_view form) {
  const auto [name, value] = split_assignment(text, form);
  for (const NodeArg& input : session.inputs()) {
    if (input.name == name) return {&input, value};
  }
  throw Error(ErrorCode::kInvalidArgument, fmt::format("{}: the model has no input '{}'", option, name));
}

Feeds make_feeds(const InferenceSession& session, const Arguments& arguments) {
  std::vector<std::pair<std::string, Shape>> given;
  for (const std::string& text : arguments.shapes) {
    const auto [input, shape] = input_option(session, "--shape", text, "NAME=DxDxD");
    given.emplace_back(input->name, parse_shape(shape));
  }
  Feeds feeds;
  for (const std::string& text : arguments.files) {
    const auto [input, file] = input_option(session, "--input", text, "NAME=FILE");
    feeds.emplace_back(input->name, load_value(file, input->type));
  }
  const size_t loaded = feeds.size();
  std::mt19937 random(0);
  for (const NodeArg& input : session.inputs()) {
    const auto end = feeds.begin() + static_cast<ptrdiff_t>(loaded);
    if (std::any_of(feeds.begin(), end, [&](const auto& feed) { return feed.first == input.name; })) continue;
    const model::TensorType* type = input.type.tensor();
    if (type == nullptr) throw Error(ErrorCode::kUnsupported, "bench cannot make up " + to_string(input));
    feeds.emplace_back(input.name, random_tensor(input_shape(input, given), type->dtype(), random));
  }
  return feeds;
}

Timing measure(const Arguments& arguments) {
  constexpr double kEnoughMs = 2000;
  constexpr size_t kLeastRuns = 10, kMostRuns = 1000, kWarmUps = 2;
  Timing timing;
  SessionOptions options;
  options.intra_op_num_threads = arguments.threads;
  options.graph_optimization_level = parse_level(arguments.level);
  options.disabled_passes = arguments.without;
  const Clock::time_point start = Clock::now();
  const InferenceSession session(arguments.model, options);
  timing.create_ms = milliseconds_since(start);
  timing.threads = session.threads();
  const Feeds feeds = make_feeds(session, arguments);
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
    print(fmt::format("created in {:.2f} ms; {} runs with {} threads: median {:.3f} ms, min {:.3f}, p90 {:.3f}; peak memory {:.1f} MB\n",
                      timing.create_ms, timing.runs, timing.threads, timing.median_ms, timing.min_ms, timing.p90_ms, timing.peak_rss_mb));
  }
  return 0;
}
}  // namespace

void add_bench(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("bench", "Times a model on made-up inputs: creation, median, least and 90th percentile, peak memory.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  command->add_option("--threads", arguments->threads, "Threads; 0: as many as this process may use")->check(CLI::NonNegativeNumber);
  command->add_option("--runs", arguments->runs, "Timed runs; 0: two seconds of them, at least 10")->check(CLI::NonNegativeNumber);
  command->add_option("--input", arguments->files, "NAME=FILE, a .npy or .pb file, instead of a made-up input");
  command->add_option("--shape", arguments->shapes, "NAME=DxDxD, the size of an input whose axes are not fixed");
  command->add_option("--optimize", arguments->level, "How much the graph may be rewritten")
      ->check(CLI::IsMember({"none", "basic", "extended", "all"}))
      ->capture_default_str();
  command->add_option("--without", arguments->without, "Passes to switch off")->delimiter(',');
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->callback([arguments, &status] { status = bench(*arguments); });
}

}  // namespace sardonyx::cli
