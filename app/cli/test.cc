// Runs ONNX test folders: model.onnx with test_data_set_0, test_data_set_1, ..., each of input_0.pb, ... and output_0.pb, ...
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "cli/closeness.h"
#include "cli/command.h"
#include "cli/test_list.h"
#include "sardonyx/session.h"

namespace sardonyx::cli {

namespace {
namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> folders;
  Tolerance tolerance{1e-3, 1e-7};  // those of ONNX's own runner
  std::optional<std::string> list;
  int threads = 0;
  std::string level = "all";
};

struct Tally {
  int passed = 0, failed = 0, skipped = 0;
};

// Test folders at or below each given one, in order of name.
std::vector<fs::path> find_tests(const std::vector<std::string>& folders) {
  std::vector<fs::path> tests;
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder)) throw Error(ErrorCode::kIo, fmt::format("{}: is not a folder", folder));
    if (fs::exists(fs::path(folder) / "model.onnx")) {
      tests.emplace_back(folder);
      continue;
    }
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
      if (entry.path().filename() == "model.onnx") tests.push_back(entry.path().parent_path());
    }
  }
  std::sort(tests.begin(), tests.end());
  tests.erase(std::unique(tests.begin(), tests.end()), tests.end());
  return tests;
}

std::string name_of(const fs::path& test) {
  return (test.has_filename() ? test : test.parent_path()).lexically_normal().filename().string();
}

// "input_0.pb", "input_1.pb", ... as far as they are there.
std::vector<fs::path> numbered(const fs::path& folder, std::string_view stem) {
  std::vector<fs::path> files;
  for (fs::path file = folder / fmt::format("{}_0.pb", stem); fs::exists(file);
       file = folder / fmt::format("{}_{}.pb", stem, files.size())) {
    files.push_back(file);
  }
  return files;
}

// A value of a data set. ONNX's tests of before 1.13 hold bfloat16 as uint16 of the same bits.
Tensor load_data(const fs::path& path, const model::Type& type) {
  Tensor value = load_value(path, type);
  const bool is_bits = type.tensor() && type.tensor()->dtype() == DType::kBFloat16 && value.defined() && value.dtype() == DType::kUInt16;
  if (!is_bits) return value;
  const auto owner = std::make_shared<Tensor>(value);
  return Tensor::view(owner, value.raw(), value.shape(), DType::kBFloat16);
}

// Why the data set fails, or "".
std::string run_data_set(const InferenceSession& session, const fs::path& folder, const Tolerance& tolerance) {
  const std::vector<fs::path> inputs = numbered(folder, "input"), outputs = numbered(folder, "output");
  if (inputs.size() > session.inputs().size() || outputs.size() > session.outputs().size()) return "more files than inputs and outputs";
  Feeds feeds;
  for (size_t i = 0; i < inputs.size(); ++i) feeds.emplace_back(session.inputs()[i].name, load_data(inputs[i], session.inputs()[i].type));
  const std::vector<Tensor> results = session.run(feeds);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Closeness result = compare_tensors(results[i], load_data(outputs[i], session.outputs()[i].type), tolerance);
    if (!result.close) return fmt::format("output '{}': {}", session.outputs()[i].name, result.describe());
  }
  return "";
}

std::string run_test(const fs::path& test, const Arguments& arguments) {
  try {
    SessionOptions options;
    options.intra_op_num_threads = arguments.threads;
    options.graph_optimization_level = parse_level(arguments.level);
    const InferenceSession session(test / "model.onnx", options);
    for (int i = 0;; ++i) {
      const fs::path folder = test / fmt::format("test_data_set_{}", i);
      if (!fs::is_directory(folder)) return i == 0 ? "it has no test_data_set_0" : "";
      if (std::string reason = run_data_set(session, folder, arguments.tolerance); !reason.empty()) return reason;
    }
  } catch (const std::exception& error) {
    return error.what();
  }
}

void judge(Tally& tally, const std::string& name, const TestList::Entry& entry, const std::string& failure) {
  if (entry.expectation == Expectation::kFail) {
    if (failure.empty()) {
      ++tally.failed;
      print(fmt::format("FAILED {}: passes, but the list says it fails: {}\n", name, entry.reason));
    } else {
      ++tally.skipped;
      print(fmt::format("fails as listed {}: {}\n", name, entry.reason));
    }
  } else if (failure.empty()) {
    ++tally.passed;
  } else {
    ++tally.failed;
    print(fmt::format("FAILED {}: {}\n", name, failure));
  }
}

int test(const Arguments& arguments) {
  const TestList list = arguments.list ? TestList::read(*arguments.list) : TestList();
  const std::vector<fs::path> tests = find_tests(arguments.folders);
  Tally tally;
  {
    Progress progress("test");
    for (size_t i = 0; i < tests.size(); ++i) {
      const std::string name = name_of(tests[i]);
      progress.show(fmt::format("{} of {}: {}", i + 1, tests.size(), name));
      const TestList::Entry entry = list.of(name);
      if (entry.expectation == Expectation::kSkip) {
        ++tally.skipped;
        print(fmt::format("skipped {}: {}\n", name, entry.reason));
      } else {
        judge(tally, name, entry, run_test(tests[i], arguments));
      }
    }
  }
  print(fmt::format("{} passed, {} failed, {} skipped\n", tally.passed, tally.failed, tally.skipped));
  return tally.failed > 0 ? 1 : 0;
}
}  // namespace

void add_test(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("test", "Runs ONNX test folders (model.onnx and test_data_set_*), at or below each DIR.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("DIR", arguments->folders, "Folders")->required();
  command->add_option("--rtol", arguments->tolerance.rtol, "Relative tolerance")->capture_default_str();
  command->add_option("--atol", arguments->tolerance.atol, "Absolute tolerance")->capture_default_str();
  command->add_option("--list", arguments->list, "File of names that must pass, and of `skip NAME reason` and `fail NAME reason` lines");
  command->add_option("--threads", arguments->threads, "Threads; 0: as many as this process may use")->check(CLI::NonNegativeNumber);
  command->add_option("--optimize", arguments->level, "How much the graph may be rewritten")
      ->check(CLI::IsMember({"none", "basic", "extended", "all"}))
      ->capture_default_str();
  command->callback([arguments, &status] { status = test(*arguments); });
}

}  // namespace sardonyx::cli
