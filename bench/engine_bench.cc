// What the engine costs around its kernels, one measurement to a process: loading and resident memory, time per run, memory under changing
// shapes, processor time when idle, several sessions at once. tools/bench_engine runs it in turns with ONNX Runtime. Prints one JSON
// object.
//
//   engine_bench load|loop|shapes|idle|concurrent MODEL [NAME=DxDxD ...] [--threads N] [--runs N] [--cache FILE]
//
// In shapes a size may be a range, "1x3x8-64": each run draws it anew.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>

#include "sardonyx/session.h"

namespace {

using sardonyx::Feeds;
using sardonyx::InferenceSession;
using sardonyx::Shape;
using sardonyx::Tensor;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct Range {
  int64_t least = 1, most = 1;
};

struct Arguments {
  std::string mode, model;
  std::map<std::string, std::vector<Range>> shapes;
  int threads = 2;
  int runs = 100;
  std::string cache;  // SessionOptions::packed_weights_cache
};

[[noreturn]] void fail(const std::string& message) { throw sardonyx::Error(sardonyx::ErrorCode::kInvalidArgument, message); }

// "1x3x8-64"
std::vector<Range> parse_sizes(const std::string& text) {
  std::vector<Range> sizes;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('x', at), text.size());
    const std::string part = text.substr(at, end - at);
    const size_t dash = part.find('-');
    const int64_t least = std::stoll(part);
    sizes.push_back({least, dash == std::string::npos ? least : std::stoll(part.substr(dash + 1))});
    at = end + 1;
  }
  return sizes;
}

Arguments parse(const std::vector<std::string>& words) {
  if (words.size() < 2) fail("usage: engine_bench MODE MODEL [NAME=DxD ...] [--threads N] [--runs N]");
  Arguments result{.mode = words[0], .model = words[1], .shapes = {}, .cache = {}};
  for (size_t i = 2; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (words[i] == "--threads" && i + 1 < words.size()) {
      result.threads = std::stoi(words[++i]);
    } else if (words[i] == "--runs" && i + 1 < words.size()) {
      result.runs = std::stoi(words[++i]);
    } else if (words[i] == "--cache" && i + 1 < words.size()) {
      result.cache = words[++i];
    } else if (equals != std::string::npos) {
      result.shapes[words[i].substr(0, equals)] = parse_sizes(words[i].substr(equals + 1));
    } else {
      fail("what is '" + words[i] + "'?");
    }
  }
  return result;
}

double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

// Megabytes by their names in /proc/self/status.
Json memory() {
  Json result;
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key; status.ignore(1 << 12, '\n')) {
    if (key != "VmRSS:" && key != "RssAnon:" && key != "RssFile:" && key != "VmHWM:") continue;
    double kilobytes = 0;
    status >> kilobytes;
    result[key.substr(0, key.size() - 1)] = kilobytes * 1024 / 1e6;
  }
  return result;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

sardonyx::SessionOptions options_of(const Arguments& arguments) {
  sardonyx::SessionOptions options;
  options.intra_op_num_threads = arguments.threads;
  options.packed_weights_cache = arguments.cache;
  return options;
}

Feeds make_feeds(const InferenceSession& session, const Arguments& arguments, std::mt19937& random) {
  Feeds feeds;
  for (const sardonyx::NodeArg& input : session.inputs()) {
    const auto given = arguments.shapes.find(input.name);
    if (given == arguments.shapes.end()) fail("give the shape of input " + input.name);
    Shape shape;
    for (const Range& range : given->second) shape.push_back(std::uniform_int_distribution<int64_t>(range.least, range.most)(random));
    Tensor values(shape, sardonyx::DType::kFloat32);
    for (float& value : values.mutable_values<float>()) value = static_cast<float>(random() >> 8) * 0x1p-24f;
    feeds.emplace_back(input.name, values.to(input.type.tensor()->dtype()));
  }
  return feeds;
}

Json measure_load(const Arguments& arguments) {
  std::mt19937 random(0);
  Json result;
  const Clock::time_point start = Clock::now();
  const InferenceSession session(arguments.model, options_of(arguments));
  result["create_ms"] = milliseconds_since(start);
  result["created"] = memory();
  const Feeds feeds = make_feeds(session, arguments, random);
  const Clock::time_point before = Clock::now();
  session.run(feeds);
  result["first_run_ms"] = milliseconds_since(before);
  result["ran"] = memory();
  return result;
}

// The median over 20 batches of the time of one run with bound inputs and outputs.
Json measure_loop(const Arguments& arguments) {
  std::mt19937 random(0);
  const InferenceSession session(arguments.model, options_of(arguments));
  sardonyx::IoBinding binding(session);
  for (const auto& [name, tensor] : make_feeds(session, arguments, random)) binding.bind_input(name, tensor);
  for (const sardonyx::NodeArg& output : session.outputs()) binding.bind_output(output.name);
  for (int i = 0; i < 3; ++i) session.run(binding);
  std::vector<double> times;
  const int batch = std::max(arguments.runs / 20, 1);
  for (int i = 0; i < 20; ++i) {
    const Clock::time_point start = Clock::now();
    for (int j = 0; j < batch; ++j) session.run(binding);
    times.push_back(milliseconds_since(start) / batch);
  }
  std::ranges::sort(times);
  return {{"run_ms", times[times.size() / 2]}, {"least_ms", times[0]}, {"memory", memory()}};
}

Json measure_shapes(const Arguments& arguments) {
  std::mt19937 random(1);
  const InferenceSession session(arguments.model, options_of(arguments));
  Json at = Json::array();
  const Clock::time_point start = Clock::now();
  for (int i = 1; i <= arguments.runs; ++i) {
    session.run(make_feeds(session, arguments, random));
    if (i % 500 == 0) at.push_back({{"runs", i}, {"rss", memory()["VmRSS"]}});
  }
  return {{"at", at}, {"peak", memory()["VmHWM"]}, {"seconds", milliseconds_since(start) / 1e3}};
}

Json measure_idle(const Arguments& arguments) {
  std::mt19937 random(0);
  const InferenceSession session(arguments.model, options_of(arguments));
  const Feeds feeds = make_feeds(session, arguments, random);
  for (int i = 0; i < 10; ++i) session.run(feeds);
  const double before = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::seconds(5));
  return {{"cpu_percent", (cpu_seconds() - before) / 5 * 100}};
}

// Runs per second of `callers` threads, each with its feeds, over two sessions.
double throughput(const std::array<const InferenceSession*, 2>& sessions, const Feeds& feeds, int callers, int runs) {
  const Clock::time_point start = Clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&, i] {
      for (int run = 0; run < runs; ++run) sessions[static_cast<size_t>(i % 2)]->run(feeds);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return callers * runs / milliseconds_since(start) * 1e3;
}

Json measure_concurrent(const Arguments& arguments) {
  std::mt19937 random(0);
  const InferenceSession first(arguments.model, options_of(arguments)), second(arguments.model, options_of(arguments));
  const Feeds feeds = make_feeds(first, arguments, random);
  throughput({&first, &second}, feeds, 4, 1);
  const double alone = throughput({&first, &first}, feeds, 1, arguments.runs);
  return {{"alone_per_s", alone}, {"together_per_s", throughput({&first, &second}, feeds, 4, arguments.runs)}};
}

}  // namespace

int main(int count, char** words) {
  const std::map<std::string, std::function<Json(const Arguments&)>> modes = {{"load", measure_load},
                                                                              {"loop", measure_loop},
                                                                              {"shapes", measure_shapes},
                                                                              {"idle", measure_idle},
                                                                              {"concurrent", measure_concurrent}};
  try {
    const Arguments arguments = parse({words + 1, words + count});
    const auto mode = modes.find(arguments.mode);
    if (mode == modes.end()) fail("there is no mode '" + arguments.mode + "'");
    std::puts(mode->second(arguments).dump().c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "engine_bench: %s\n", error.what());
    return 1;
  }
}
