#include "cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "sardonyx/model.h"
#include "sardonyx/npy.h"
#include "sardonyx/value.h"

namespace sardonyx::cli {

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) throw Error(ErrorCode::kIo, "cannot write to standard output");
}

std::pair<std::string, std::string> split_assignment(const std::string& text, std::string_view form) {
  const size_t sign = text.find('=');
  if (sign == std::string::npos || sign == 0 || sign + 1 == text.size()) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("'{}' does not read as {}", text, form));
  }
  return {text.substr(0, sign), text.substr(sign + 1)};
}

Shape parse_shape(const std::string& text) {
  Shape shape;
  const char* position = text.data();
  const char* const end = text.data() + text.size();
  while (position != end) {
    int64_t size = 0;
    const auto [next, error] = std::from_chars(position, end, size);
    const bool separated = next == end || ((*next == 'x' || *next == ',') && next + 1 != end);
    if (error != std::errc() || size < 0 || !separated) {
      throw Error(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a shape; write it as 1x3x224x224", text));
    }
    shape.push_back(size);
    position = next == end ? end : next + 1;
  }
  return shape;
}

Tensor load_tensor(const std::filesystem::path& path) {
  if (path.extension() == ".npy") return load_npy(path);
  if (path.extension() == ".pb") return with_trail([&] { return path.string(); }, [&] { return model::decode(model::read_tensor(path)); });
  throw Error(ErrorCode::kInvalidArgument, fmt::format("{}: tensors are read from .npy and .pb files", path.string()));
}

Tensor load_value(const std::filesystem::path& path, const model::Type& type) {
  if (type.tensor() != nullptr) return load_tensor(path);
  if (path.extension() == ".pb") return model::read_value(path, type);
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{}: a value of type {} is read from a .pb file", path.string(), model::type_string(type)));
}

void RewriteOptions::add_options(CLI::App& command) { add_options(command, "--optimize", "--without", ""); }

void RewriteOptions::add_options(CLI::App& command, const std::string& optimize, const std::string& without_name,
                                 const std::string& whose) {
  command.add_option(optimize, level, "How much the graph may be rewritten" + whose)
      ->check(CLI::IsMember({"none", "basic", "extended", "all"}))
      ->capture_default_str();
  command.add_option(without_name, without, "Passes to switch off" + whose + ": A,B; may be given more than once")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1);
}

GraphOptimizationLevel RewriteOptions::graph_level() const {
  if (level == "none") return GraphOptimizationLevel::kNone;
  if (level == "basic") return GraphOptimizationLevel::kBasic;
  if (level == "extended") return GraphOptimizationLevel::kExtended;
  return GraphOptimizationLevel::kAll;
}

void RewriteOptions::set(SessionOptions& options) const {
  options.graph_optimization_level = graph_level();
  options.disabled_passes = without;
}

void add_threads_option(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "Threads; 0: as many as this process may use")->check(CLI::NonNegativeNumber);
}

void add_profile_option(CLI::App& command, std::string& path) {
  command.add_option("--profile", path, "File to write what takes how long to, for chrome://tracing or Perfetto (.json)")
      ->type_name("FILE");
}

void add_custom_ops_option(CLI::App& command, std::vector<std::string>& libraries) {
  command.add_option("--custom-ops", libraries, "A shared library of operators (sardonyx/custom_op.h); may be given more than once")
      ->type_name("FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::shared_ptr<const CustomOps> load_custom_ops(const std::vector<std::string>& libraries) {
  if (libraries.empty()) return nullptr;
  auto ops = std::make_shared<CustomOps>();
  for (const std::string& library : libraries) ops->load(library);
  return ops;
}

std::string count_of(size_t count, std::string_view what) { return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s"); }

std::string human_bytes(double bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1000;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

Progress::Progress(std::string what) : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::show(std::string_view state) {
  if (!terminal_) return;
  std::fputs(fmt::format("\r\033[K{}: {}", what_, state).c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace sardonyx::cli
