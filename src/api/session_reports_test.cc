// What a session tells of itself: profile, log, tags, observed values, the memory plan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "core/expect_error.h"
#include "optimize/model_builder.h"
#include "sardonyx/session.h"
#include "sardonyx/text.h"

namespace sardonyx {
namespace {

using nlohmann::json;
using optimize::random_tensor;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// y = (relu(x) + x) * sigmoid(x); the name of a node needs escaping.
model::Model small_model() {
  model::Model model = model::parse_text_model(R"(<ir_version: 8, opset_import: ["" : 17]>
    test (float[batch,64] x) => (float[batch,64] y) { r = Relu (x)  s = Add (r, x)  g = Sigmoid (x)  y = Mul (s, g) })");
  model.graph.node[1].name = "add \"1\"\n\xFF";
  return model;
}

Feeds feeds(int64_t batch) { return {{"x", random_tensor({batch, 64}, 3)}}; }

class ProfileFile {
 public:
  ProfileFile() : path_(std::filesystem::temp_directory_path() / ("sardonyx_profile_" + std::to_string(getpid()) + ".json")) {}
  ~ProfileFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }
  json read() const {
    std::ifstream file(path_);
    return json::parse(file);
  }
  static std::map<std::string, size_t> counts(const json& trace) {
    std::map<std::string, size_t> result;
    for (const json& event : trace["traceEvents"]) ++result[event["name"].get<std::string>()];
    return result;
  }

 private:
  std::filesystem::path path_;
};

TEST(Profile, HasLoadingPlansAndSteps) {
  const ProfileFile file;
  InferenceSession session(small_model(), {.graph_optimization_level = GraphOptimizationLevel::kNone, .profile_path = file.path()});
  session.run(feeds(2));
  session.run(feeds(2), {.tag = "request \"17\""});
  EXPECT_EQ(session.end_profiling(), file.path());
  session.run(feeds(2));  // not recorded any more
  const json trace = file.read();
  const auto counts = ProfileFile::counts(trace);
  EXPECT_EQ(counts.at("read"), 1U);
  EXPECT_EQ(counts.at("optimize"), 1U);
  EXPECT_EQ(counts.at("prepare"), 1U);
  EXPECT_EQ(counts.at("plan"), 1U);
  EXPECT_EQ(counts.at("run"), 2U);
  EXPECT_EQ(counts.at("add \"1\"\n\xEF\xBF\xBD"), 2U);
  EXPECT_EQ(trace["otherData"]["events_left_out"], 0);
  size_t tagged = 0;
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] == "M") continue;
    EXPECT_EQ(event["ph"], "X");
    EXPECT_EQ(event["pid"], getpid());
    EXPECT_TRUE(event["tid"].is_number() && event["ts"].is_number()) << event;
    EXPECT_GE(event["dur"], 0) << event;
    tagged += event["args"].contains("tag") && event["args"]["tag"] == "request \"17\"" ? 1 : 0;
    if (event["cat"] != "Node" || event["args"]["op"] != "Add") continue;
    EXPECT_FALSE(event["args"]["kernel"].get<std::string>().empty());
    EXPECT_EQ(event["args"]["inputs"], json({"float [2, 64]", "float [2, 64]"}));
  }
  EXPECT_EQ(tagged, 5U);  // the run and its four steps
}

TEST(Profile, StepsLieWithinTheirRun) {
  const ProfileFile file;
  {
    const InferenceSession session(small_model(), {.profile_path = file.path()});
    session.run(feeds(100));
  }  // completes the file
  double begin = 0, end = 0;
  const json trace = file.read();
  for (const json& event : trace["traceEvents"]) {
    if (event["name"] != "run") continue;
    begin = event["ts"];
    end = begin + event["dur"].get<double>();
  }
  ASSERT_GT(end, begin);
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] != "X" || event["cat"] != "Node") continue;
    EXPECT_GE(event["ts"].get<double>(), begin - 0.01);
    EXPECT_LE(event["ts"].get<double>() + event["dur"].get<double>(), end + 0.01);
  }
}

TEST(Profile, LeavesOutWhatIsTooMuch) {
  const ProfileFile file;
  InferenceSession session(
      small_model(), {.graph_optimization_level = GraphOptimizationLevel::kNone, .profile_path = file.path(), .max_profile_events = 40});
  for (int i = 0; i < 100; ++i) session.run(feeds(1));
  session.end_profiling();
  const json trace = file.read();
  EXPECT_LE(trace["traceEvents"].size(), 41U);
  EXPECT_EQ((trace["otherData"]["events_left_out"].get<size_t>() + ProfileFile::counts(trace).at("run") * 5), 500U);
}

TEST(Profile, KeepsConcurrentRunsApart) {
  const ProfileFile file;
  InferenceSession session(small_model(), {.profile_path = file.path()});
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int run = 0; run < 25; ++run) session.run(feeds(1 + run % 3));
    });
  }
  threads.clear();
  session.end_profiling();
  std::map<int64_t, std::vector<std::pair<double, double>>> runs;
  const json trace = file.read();
  for (const json& event : trace["traceEvents"]) {
    if (event["name"] == "run") runs[event["tid"]].emplace_back(event["ts"], event["dur"]);
  }
  EXPECT_EQ(runs.size(), 4U);
  for (auto& [thread, list] : runs) {
    EXPECT_EQ(list.size(), 25U);
    std::ranges::sort(list);
    for (size_t i = 1; i < list.size(); ++i) EXPECT_GE(list[i].first, list[i - 1].first + list[i - 1].second - 0.01);
  }
}

TEST(Profile, TellsOfFailedRuns) {
  const ProfileFile file;
  InferenceSession session(small_model(), {.profile_path = file.path()});
  session.run(feeds(1));
  EXPECT_THAT(message_of(ErrorCode::kCancelled, [&] { session.run(feeds(1), {.deadline = std::chrono::steady_clock::now()}); }),
              HasSubstr("deadline"));
  session.end_profiling();
  const json trace = file.read();
  std::vector<bool> succeeded;
  for (const json& event : trace["traceEvents"]) {
    if (event["name"] == "run") succeeded.push_back(event["args"]["succeeded"].get<bool>());
  }
  EXPECT_THAT(succeeded, testing::ElementsAre(true, false));
}

TEST(Profile, RefusesAFileThatCannotBeWritten) {
  EXPECT_THAT(message_of(ErrorCode::kIo, [] { InferenceSession(small_model(), {.profile_path = "/nowhere/at/all.json"}); }),
              HasSubstr("cannot write the profile /nowhere/at/all.json"));
}

TEST(RunTag, BeginsTheErrorsOfTheRun) {
  const InferenceSession session(small_model());
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { session.run({}, {.tag = "request 17"}); }), StartsWith("run 'request 17': "));
  EXPECT_THAT(message_of(ErrorCode::kCancelled, [&] { session.run(feeds(1), {.deadline = std::chrono::steady_clock::now(), .tag = "b"}); }),
              StartsWith("run 'b': "));
}

TEST(Log, TellsOfLoadingPlansAndRefusals) {
  std::vector<std::pair<LogSeverity, std::string>> lines;
  std::mutex mutex;
  const LogCallback log = [&](LogSeverity severity, std::string_view text) {
    const std::lock_guard lock(mutex);
    lines.emplace_back(severity, text);
  };
  const InferenceSession session(small_model(), {.max_memory = 2000, .log = log});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0].second, AllOf(StartsWith("loaded '"), HasSubstr(" nodes after "), HasSubstr("threads")));
  session.run(feeds(1));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[1].second, StartsWith("plan for 'x' [1, 64] in "));
  session.run(feeds(1));
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_THROW(session.run(feeds(100)), Error);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[3].first, LogSeverity::kWarning);
  EXPECT_THAT(lines[3].second, HasSubstr("max_memory is 0.0 MB"));
  EXPECT_EQ(to_string(lines[3].first), "warning");
}

TEST(Log, TellsMoreWhenVerboseAndLessWhenAskedTo) {
  size_t verbose = 0, warnings = 0;
  const InferenceSession chatty(small_model(),
                                {.log = [&](LogSeverity, std::string_view) { ++verbose; }, .log_severity = LogSeverity::kVerbose});
  const InferenceSession quiet(small_model(),
                               {.log = [&](LogSeverity, std::string_view) { ++warnings; }, .log_severity = LogSeverity::kWarning});
  quiet.run(feeds(1));
  EXPECT_GE(verbose, 4U);
  EXPECT_EQ(warnings, 0U);
}

TEST(Observe, ShowsValuesInRunningOrder) {
  const InferenceSession session(small_model(), {.graph_optimization_level = GraphOptimizationLevel::kNone});
  std::vector<std::string> names;
  std::map<std::string, Tensor> values;
  const std::vector<Tensor> results = session.observe(feeds(2), [&](const std::string& name, const Tensor& value) {
    names.push_back(name);
    values[name] = value.clone();
  });
  EXPECT_THAT(names, ElementsAre("r", "s", "g", "y"));
  const Tensor x = feeds(2)[0].second;
  for (size_t i = 0; i < 128; ++i) EXPECT_EQ(values["r"].values<float>()[i], std::max(x.values<float>()[i], 0.0f));
  EXPECT_THAT(values["y"].values<float>(), testing::ElementsAreArray(results.at(0).values<float>()));
  EXPECT_THAT(session.run(feeds(2)).at(0).values<float>(), testing::ElementsAreArray(results[0].values<float>()));
}

TEST(Reports, TellWhereValuesLie) {
  const InferenceSession session(small_model(), {.graph_optimization_level = GraphOptimizationLevel::kNone});
  const PlanReport report = session.explain({{"x", {2, 64}}});
  ASSERT_EQ(report.steps.size(), 4U);
  std::set<std::string> names;
  for (const MemoryReport& piece : report.memory) {
    names.insert(piece.name);
    names.insert(piece.shared.begin(), piece.shared.end());
    EXPECT_LE(piece.first_step, piece.last_step);
    EXPECT_LT(piece.last_step, report.steps.size());
    EXPECT_LE(piece.offset + piece.bytes, report.peak_memory);
    for (const MemoryReport& other : report.memory) {
      const bool together = piece.first_step <= other.last_step && other.first_step <= piece.last_step;
      const bool apart = piece.offset + piece.bytes <= other.offset || other.offset + other.bytes <= piece.offset;
      EXPECT_TRUE(&piece == &other || !together || apart) << piece.name << " and " << other.name;
    }
  }
  EXPECT_THAT(names, ElementsAre("g"));  // r and s become y in place, in the memory of the result
  EXPECT_EQ(report.steps[0].inputs.at(0).name, "x");
  EXPECT_EQ(to_string(report.steps[0].outputs.at(0)), "float [2, 64]");
  EXPECT_FALSE(report.steps[0].inputs[0].constant);
  for (const StepReport& step : report.steps) EXPECT_FALSE(step.kernel.empty()) << step.op;
}

TEST(Reports, TellHowLongLoadingTook) {
  const InferenceSession session(small_model());
  std::vector<std::string> names;
  for (const LoadPhase& phase : session.load_phases()) {
    names.push_back(phase.name);
    EXPECT_GE(phase.seconds, 0);
  }
  EXPECT_THAT(names, ElementsAre("read", "optimize", "prepare"));
}

}  // namespace
}  // namespace sardonyx
