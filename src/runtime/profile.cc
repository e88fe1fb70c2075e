#include "runtime/profile.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sardonyx/version.h"

namespace sardonyx::runtime {
namespace {

constexpr size_t kMaxLabels = 16;  // plans whose labels are kept

std::string json_text(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_text(std::span<const ValueReport> values) {
  std::string text = "[";
  for (const ValueReport& value : values) text += (text.size() > 1 ? "," : "") + json_text(value.name.empty() ? "" : to_string(value));
  return text + "]";
}

double microseconds(Profile::Clock::time_point time) { return std::chrono::duration<double, std::micro>(time.time_since_epoch()).count(); }

// A complete event; `label` has its name, category and what else stays the same.
std::string event(std::string_view label, double start_us, double seconds, std::string_view args) {
  return fmt::format(R"({{"ph":"X","pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f},{},"args":{{{}}}}})", getpid(), gettid(), start_us,
                     seconds * 1e6, label, args);
}

std::string label(std::string_view name, std::string_view category) {
  return fmt::format(R"("name":{},"cat":{})", json_text(name), json_text(category));
}

}  // namespace

struct Profile::Labels {
  struct Step {
    size_t index;  // of the plan's steps
    std::string label, args;
  };
  std::vector<Step> steps;  // those that do anything
  size_t step_count = 0;
};

Profile::Profile(std::filesystem::path path, size_t max_events) : path_(std::move(path)), max_events_(max_events), file_(path_) {
  if (!file_) throw Error(ErrorCode::kIo, fmt::format("cannot write the profile {}", path_.string()));
  file_ << "{\"traceEvents\":[\n"
        << fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"process_name","args":{{"name":"sardonyx"}}}})", getpid(), gettid());
}

Profile::~Profile() { close(); }

void Profile::write(size_t events, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  if (events > max_events_ - events_) {
    left_out_ += events;
    return;
  }
  events_ += events;
  file_ << text;
}

void Profile::close() {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  file_ << fmt::format("\n],\"displayTimeUnit\":\"ms\",\"otherData\":{{\"version\":{},\"events_left_out\":{}}}}}\n", json_text(kVersion),
                       left_out_);
  file_.close();
  failed_ = failed_ || !file_;
}

void Profile::finish() {
  close();
  if (failed_) throw Error(ErrorCode::kIo, fmt::format("the profile {} could not be written; is the disk full?", path_.string()));
}

void Profile::add_loading(std::span<const LoadPhase> phases, std::span<const PassReport> passes) {
  std::string text;
  size_t events = 0;
  const auto add = [&](std::string_view name, double start, double seconds, std::string_view args) {
    text += ",\n" + event(label(name, "Load"), start, seconds, args);
    ++events;
  };
  for (const LoadPhase& phase : phases) {
    double start = microseconds(phase.start);
    add(phase.name, start, phase.seconds, "");
    if (phase.name != "optimize") continue;
    for (const PassReport& pass : passes) {
      if (pass.seconds <= 0) continue;
      add("pass " + pass.name, start, pass.seconds, fmt::format("\"rewrites\":{}", pass.rewrites));
      start += pass.seconds * 1e6;
    }
  }
  write(events, text);
}

void Profile::add_plan(const Plan& plan, Clock::time_point start) {
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::string shapes;
  for (const Shape& shape : plan.key().shapes) shapes += (shapes.empty() ? "" : ",") + json_text(to_string(shape));
  write(1, ",\n" + event(label("plan", "Load"), microseconds(start), seconds,
                         fmt::format(R"("input_shapes":[{}],"steps":{},"peak_memory":{},"lower_bound_memory":{},"output_memory":{})",
                                     shapes, plan.step_count(), plan.peak_memory(), plan.lower_bound_memory(), plan.output_memory())));
}

std::shared_ptr<const Profile::Labels> Profile::labels(const std::shared_ptr<const Plan>& plan) {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, kept] : labels_) {
    if (known.lock() == plan) return kept;
  }
  auto fresh = std::make_shared<Labels>();
  const PlanReport report = plan->report();
  fresh->step_count = report.steps.size();
  for (size_t i = 0; i < report.steps.size(); ++i) {
    const StepReport& step = report.steps[i];
    if (step.aliased) continue;
    fresh->steps.push_back(
        {i, label(step.node, "Node"),
         fmt::format(R"("op":{},"kernel":{},"inputs":{},"outputs":{},"flops":{:.0f},"bytes":{},"scratch_bytes":{})", json_text(step.op),
                     json_text(step.kernel), json_text(step.inputs), json_text(step.outputs), step.flops, step.bytes, step.scratch_bytes)});
  }
  std::erase_if(labels_, [](const auto& entry) { return entry.first.expired(); });
  if (labels_.size() >= kMaxLabels) labels_.erase(labels_.begin());
  labels_.emplace_back(plan, fresh);
  return fresh;
}

ProfiledRun::ProfiledRun(Profile& profile, const std::shared_ptr<const Plan>& plan, const std::string& tag, int threads)
    : profile_(profile),
      labels_(profile.labels(plan)),
      tag_(tag),
      threads_(threads),
      seconds_(labels_->step_count),
      start_(Profile::Clock::now()) {}

std::string ProfiledRun::events() const {
  const std::string tag = tag_.empty() ? "" : ",\"tag\":" + json_text(tag_);
  const double start = microseconds(start_), seconds = std::chrono::duration<double>(Profile::Clock::now() - start_).count();
  std::string text =
      ",\n" + event(label("run", "Run"), start, seconds, fmt::format("\"threads\":{},\"succeeded\":{}{}", threads_, succeeded_, tag));
  double begin = start;
  size_t next = 0;
  for (const Profile::Labels::Step& step : labels_->steps) {
    for (; next < step.index; ++next) begin += seconds_[next] * 1e6;
    if (!succeeded_ && seconds_[next] <= 0) continue;
    text += ",\n" + event(step.label, begin, seconds_[next], step.args + tag);
  }
  return text;
}

ProfiledRun::~ProfiledRun() {
  try {
    profile_.write(labels_->steps.size() + 1, events());
  } catch (const std::exception&) {
    const std::lock_guard lock(profile_.mutex_);  // no memory for the text: finish() tells
    profile_.failed_ = true;
  }
}

}  // namespace sardonyx::runtime
