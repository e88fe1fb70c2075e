// Runs ONNX test folders.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "cli/closeness.h"
#include "cli/command.h"
#include "cli/digest.h"
#include "cli/test_folders.h"
#include "cli/test_list.h"
#include "sardonyx/edit.h"
#include "sardonyx/session.h"
#include "sardonyx/simd.h"
#include "sardonyx/text.h"

namespace sardonyx::cli {

namespace {
namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> folders;
  Tolerance tolerance{1e-3, 1e-7};  // those of ONNX's own runner
  std::optional<std::string> list, digest;
  int threads = 0;
  RewriteOptions rewrites;
  std::string simd;
  bool guard = false;
  bool text = false;
};

struct Tally {
  int passed = 0, failed = 0, skipped = 0;
};

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

using Dims = std::map<std::string, std::vector<model::Dimension>>;

// The session of a model, its inputs declared with `dims` where that has their names.
InferenceSession open(const fs::path& path, const SessionOptions& options, bool through_text, const Dims& dims = {}) {
  if (!through_text && dims.empty()) return InferenceSession(path, options);
  model::Model model = model::read_model(path);
  if (!dims.empty()) set_input_shapes(model, dims, {.replace = true});
  return InferenceSession(through_text ? model::parse_text_model(to_text(model)) : std::move(model), options);
}

// Whether data of this shape cannot be what is declared. `symbols`: the sizes of those that were met before.
bool contradicts(const std::vector<NodeArg::Axis>& declared, const Shape& shape, std::map<std::string, int64_t>& symbols) {
  if (declared.size() != shape.size()) return true;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (const auto* size = std::get_if<int64_t>(&declared[i]); size && *size != shape[i]) return true;
    if (const auto* symbol = std::get_if<std::string>(&declared[i]);
        symbol && symbols.emplace(*symbol, shape[i]).first->second != shape[i]) {
      return true;
    }
  }
  return false;
}

// If a feed contradicts what the model declares of its input: the shapes of all feeds, and a line on standard output for each that does.
// Data are fed in the order of the inputs. ONNX's own runner never looks at declared shapes.
Dims replaced_dims(const std::string& test, const InferenceSession& session, const Feeds& feeds) {
  Dims dims;
  std::map<std::string, int64_t> symbols;
  bool any = false;
  for (size_t i = 0; i < feeds.size(); ++i) {
    const auto declared = session.inputs()[i].shape();
    const Tensor& data = feeds[i].second;
    if (!declared || !data.defined()) continue;
    dims[feeds[i].first].assign(data.shape().begin(), data.shape().end());
    if (!contradicts(*declared, data.shape(), symbols)) continue;
    any = true;
    print(fmt::format("{}: input '{}' is declared {}, its data are {}: declared shapes replaced\n", test, feeds[i].first,
                      to_string(session.inputs()[i].type.tensor()->shape), to_string(data.shape())));
  }
  return any ? dims : Dims();
}

// A line for each output: test, data set, output, digest.
void append_digests(std::string& lines, const InferenceSession& session, const fs::path& folder, const std::vector<Tensor>& results) {
  for (size_t i = 0; i < results.size(); ++i) {
    lines +=
        fmt::format("{} {} {} {:016x}\n", name_of(folder.parent_path()), name_of(folder), session.outputs()[i].name, digest(results[i]));
  }
}

// How a test is run.
struct Setting {
  fs::path model;
  const SessionOptions& options;
  bool through_text;
  std::optional<Tolerance> tolerance;  // none: the outputs are drawn at random
  std::string& digests;
};

// Why the results of a data set are not those expected, or "".
std::string difference(const Setting& setting, const InferenceSession& session, const Feeds& feeds, const fs::path& folder) {
  const std::vector<fs::path> outputs = numbered(folder, "output");
  if (outputs.size() > session.outputs().size()) return "more files than outputs";
  const std::vector<Tensor> results = session.run(feeds);
  append_digests(setting.digests, session, folder, results);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor expected = load_data(outputs[i], session.outputs()[i].type);
    const Closeness result =
        setting.tolerance ? compare_tensors(results[i], expected, *setting.tolerance) : compare_ranges(results[i], expected);
    if (!result.close) return fmt::format("output '{}': {}", session.outputs()[i].name, result.describe());
  }
  return "";
}

// Why the data set fails, or "".
std::string run_data_set(const Setting& setting, const InferenceSession& session, const fs::path& folder) {
  const std::vector<fs::path> inputs = numbered(folder, "input");
  if (inputs.size() > session.inputs().size()) return "more files than inputs";
  Feeds feeds;
  for (size_t i = 0; i < inputs.size(); ++i) feeds.emplace_back(session.inputs()[i].name, load_data(inputs[i], session.inputs()[i].type));
  const Dims dims = replaced_dims(name_of(folder.parent_path()), session, feeds);
  if (dims.empty()) return difference(setting, session, feeds, folder);
  return difference(setting, open(setting.model, setting.options, setting.through_text, dims), feeds, folder);
}

SessionOptions session_options(const Arguments& arguments) {
  SessionOptions options;
  options.thread_pool = make_thread_pool(arguments.threads);
  arguments.rewrites.set(options);
  options.guard_memory = arguments.guard;
  return options;
}

std::string run_test(const fs::path& test, const Setting& setting) {
  try {
    const InferenceSession session = open(setting.model, setting.options, setting.through_text);
    for (int i = 0;; ++i) {
      const fs::path folder = test / fmt::format("test_data_set_{}", i);
      if (!fs::is_directory(folder)) return i == 0 ? "it has no test_data_set_0" : "";
      if (std::string reason = run_data_set(setting, session, folder); !reason.empty()) return reason;
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

void write_digests(const std::string& path, const std::string& lines) {
  std::ofstream file(path, std::ios::binary);
  file << lines;
  if (!file.flush()) throw Error(ErrorCode::kIo, fmt::format("cannot write the digests to '{}'", path));
}

int test(const Arguments& arguments) {
  use_simd_target(arguments.simd);
  const TestList list = arguments.list ? TestList::read(*arguments.list) : TestList();
  const std::vector<fs::path> tests = find_test_folders(arguments.folders);
  const SessionOptions options = session_options(arguments);
  std::string digests;
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
        const bool is_random = entry.expectation == Expectation::kRandom;
        const Setting setting{tests[i] / "model.onnx", options, arguments.text,
                              is_random ? std::nullopt : std::optional(arguments.tolerance), digests};
        judge(tally, name, entry, run_test(tests[i], setting));
      }
    }
  }
  if (arguments.digest) write_digests(*arguments.digest, digests);
  print(fmt::format("{} passed, {} failed, {} skipped\n", tally.passed, tally.failed, tally.skipped));
  return tally.failed > 0 ? 1 : 0;
}
}  // namespace

void add_test(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand(
      "test",
      "Runs ONNX test folders (model.onnx and test_data_set_*), at or below each DIR. Where data contradict the shapes that "
      "the model declares, they replace those, and a line says so.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("DIR", arguments->folders, "Folders")->required();
  command->add_option("--rtol", arguments->tolerance.rtol, "Relative tolerance")->capture_default_str();
  command->add_option("--atol", arguments->tolerance.atol, "Absolute tolerance")->capture_default_str();
  command->add_option("--list", arguments->list,
                      "File of names that must pass, and of `skip NAME reason`, `fail NAME reason` and `random NAME reason` lines");
  command->add_option("--digest", arguments->digest,
                      "A file to write, a line for each output: test, data set, output, and a digest of the output's bits, which does not "
                      "depend on the number of threads");
  add_threads_option(*command, arguments->threads);
  arguments->rewrites.add_options(*command);
  command->add_option("--simd", arguments->simd, "Keep to one of the SIMD targets of this machine")->check(CLI::IsMember(simd_targets()));
  command->add_flag("--text", arguments->text, "Print each model as text, and run what that text parses to");
  command->add_flag("--guard", arguments->guard, "Fill memory with NaN between its uses and look for writes behind values (slow)");
  command->callback([arguments, &status] { status = test(*arguments); });
}

}  // namespace sardonyx::cli
