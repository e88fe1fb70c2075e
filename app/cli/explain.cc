#include "cli/explain.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>

#include "cli/command.h"
#include "cli/made_up_inputs.h"
#include "sardonyx/memory_picture.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::string model, picture;
  RewriteOptions rewrites;
  InputOptions inputs;
  std::vector<std::string> custom_ops;
  int threads = 0;
  size_t width = 0;
  bool time = false, memory = false, json = false;
};

// Of the terminal; 0 where standard output is none.
size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

// The times of all steps, and behind each chain those of its nodes.
std::vector<double*> times_of(PlanReport& report) {
  std::vector<double*> times;
  for (StepReport& step : report.steps) {
    times.push_back(&step.seconds);
    for (StepReport& node : step.nodes) times.push_back(&node.seconds);
  }
  return times;
}

// The plan with the median time of each step, over a second; of what is slow, over at least three runs.
PlanReport timed_plan(const InferenceSession& session, const Feeds& feeds, size_t& runs) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kLeastRuns = 3, kFewRuns = 7, kMostRuns = 50;
  constexpr std::chrono::seconds kEnough(1), kLong(6);
  const Clock::time_point start = Clock::now();
  std::vector<PlanReport> reports;
  const auto enough = [&] {
    const Clock::duration taken = Clock::now() - start;
    return reports.size() >= kMostRuns || (reports.size() >= kFewRuns && taken >= kEnough) ||
           (reports.size() >= kLeastRuns && taken >= kLong);
  };
  while (!enough()) reports.push_back(session.profile(feeds));
  runs = reports.size();
  std::vector<std::vector<double*>> times;
  for (PlanReport& report : reports) times.push_back(times_of(report));
  PlanReport result = reports.back();
  const std::vector<double*> medians = times_of(result);
  for (size_t i = 0; i < medians.size(); ++i) {
    std::vector<double> samples;
    for (const std::vector<double*>& run : times) samples.push_back(*run[i]);
    std::ranges::nth_element(samples, samples.begin() + static_cast<ptrdiff_t>(runs / 2));
    *medians[i] = samples[runs / 2];
  }
  return result;
}

Explanation examine(const Arguments& arguments) {
  SessionOptions options;
  options.intra_op_num_threads = arguments.threads;
  arguments.rewrites.set(options);
  options.free_dimension_overrides = arguments.inputs.dim_sizes();
  options.custom_ops = load_custom_ops(arguments.custom_ops);
  const InferenceSession session(arguments.model, options);
  Explanation result{.model = arguments.model,
                     .level = arguments.rewrites.level,
                     .threads = session.threads(),
                     .metadata = session.metadata(),
                     .inputs = {},
                     .load_phases = session.load_phases(),
                     .passes = session.passes(),
                     .plan = {},
                     .peak = {}};
  if (arguments.time) {
    const Feeds feeds = make_feeds(session, arguments.inputs);
    result.plan = timed_plan(session, feeds, result.timed_runs);
    result.peak = measure_peak(session.threads());
    for (const auto& [name, value] : feeds) result.inputs.push_back({name, value.dtype(), value.shape(), value.defined()});
  } else {
    const InputShapes shapes = make_shapes(session, arguments.inputs);
    result.plan = session.explain(shapes);
    for (const auto& [name, shape] : shapes) {
      const auto input = std::ranges::find(session.inputs(), name, &NodeArg::name);
      result.inputs.push_back({name, input->type.tensor()->dtype(), shape, true});
    }
  }
  return result;
}

void write_picture(const std::string& path, const PlanReport& plan) {
  std::ofstream file(path, std::ios::binary);
  file << memory_picture(plan);
  file.close();
  if (!file) throw Error(ErrorCode::kIo, fmt::format("cannot write {}", path));
}

int explain(const Arguments& arguments) {
  const Explanation explanation = examine(arguments);
  if (!arguments.picture.empty()) write_picture(arguments.picture, explanation.plan);
  if (arguments.json) {
    print(explanation_json(explanation));
    return 0;
  }
  const size_t width = arguments.width > 0 ? arguments.width : terminal_width();
  print(explanation_text(explanation, width));
  if (arguments.memory) print("\nmemory by step\n" + memory_bars(explanation.plan, width > 90 ? width - 50 : 40));
  return 0;
}
}  // namespace

double Explanation::seconds() const {
  double sum = 0;
  for (const StepReport& step : plan.steps) sum += step.seconds;
  return sum;
}

double Explanation::least_seconds(const StepReport& step, const StepReport* chain) const {
  if (!peak || step.aliased) return 0;
  if (!chain) return peak->least_seconds(step.flops, step.bytes);
  // All rows go through the node, a band at a time: from and to a cache that holds the bands.
  const double rate = peak->bandwidth(std::min(step.bytes, chain->chain->band_bytes));
  return std::max(peak->least_seconds(step.flops, 0), rate > 0 ? static_cast<double>(step.bytes) / rate : 0);
}

double Explanation::share(const StepReport& step, const StepReport* chain) const {
  return step.seconds > 0 ? least_seconds(step, chain) / step.seconds : 0;
}

void add_explain(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand(
      "explain", "Tells how a model runs: passes, the kernel of each node and why others were passed over, work, time, memory.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The .onnx file")->required();
  arguments->inputs.add_options(*command);
  add_threads_option(*command, arguments->threads);
  arguments->rewrites.add_options(*command);
  command->add_flag("--time", arguments->time, "Run it, time each node, and hold it against the measured peak of this machine");
  command->add_flag("--memory", arguments->memory, "Tell the memory that each step needs, too");
  command->add_option("--svg", arguments->picture, "File for a picture of the memory plan")->type_name("FILE");
  command->add_option("--width", arguments->width, "Characters in a line; 0: as the terminal has, or any number");
  command->add_flag("--json", arguments->json, "Report everything as JSON");
  add_custom_ops_option(*command, arguments->custom_ops);
  command->callback([arguments, &status] { status = explain(*arguments); });
}

}  // namespace sardonyx::cli
