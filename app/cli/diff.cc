// Finds the first value at which two ways to run a model part.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/closeness.h"
#include "cli/command.h"
#include "cli/made_up_inputs.h"
#include "sardonyx/session.h"
#include "sardonyx/simd.h"

namespace sardonyx::cli {

namespace {
struct SideArguments {
  std::string model, simd;
  int threads = -1;
  RewriteOptions rewrites;
};

struct Arguments {
  SideArguments a, b;  // of b: what is not given is as of a
  InputOptions inputs;
  std::optional<double> rtol, atol;
  std::vector<std::string> custom_ops;
  size_t most_differences = 20;
  bool json = false;
};

// One of the two ways. Its SIMD target holds for the whole process, and is set before each use.
class Side {
 public:
  Side(const SideArguments& arguments, const Arguments& all) : simd_(arguments.simd) {
    use_simd_target(simd_);
    SessionOptions options;
    options.intra_op_num_threads = std::max(arguments.threads, 0);
    arguments.rewrites.set(options);
    options.free_dimension_overrides = all.inputs.dim_sizes();
    options.custom_ops = load_custom_ops(all.custom_ops);
    session_ = std::make_unique<InferenceSession>(arguments.model, options);
    name_ = describe(arguments, session_->threads());
  }

  const InferenceSession& session() const { return *session_; }
  const std::string& name() const { return name_; }
  std::vector<Tensor> observe(const Feeds& feeds, const ValueObserver& observer) const {
    use_simd_target(simd_);
    return session_->observe(feeds, observer);
  }
  // "Conv 'conv1', kernel implicit_gemm"; "" where no step makes the value.
  std::string maker(const std::string& value, const InputShapes& shapes) const {
    use_simd_target(simd_);
    for (const StepReport& step : session_->explain(shapes).steps) {
      if (std::ranges::find(step.outputs, value, &ValueReport::name) == step.outputs.end()) continue;
      return fmt::format("{} '{}', kernel {}", step.op, step.node, step.kernel.empty() ? "chosen while running" : step.kernel);
    }
    return "";
  }

 private:
  static std::string describe(const SideArguments& arguments, int threads) {
    const RewriteOptions& rewrites = arguments.rewrites;
    std::string text = fmt::format("{}, optimisation {}", arguments.model, rewrites.level);
    if (!rewrites.without.empty()) text += fmt::format(" without {}", fmt::join(rewrites.without, ", "));
    text += ", " + count_of(static_cast<size_t>(threads), "thread");
    return arguments.simd.empty() ? text : text + ", " + arguments.simd;
  }

  std::string simd_, name_;
  std::unique_ptr<InferenceSession> session_;
};

size_t memory_of(const Tensor& value) {
  if (!value.defined()) return 0;
  size_t bytes = value.byte_size();
  if (value.dtype() == DType::kString) {
    for (const std::string& text : value.strings()) bytes += text.size();
  } else if (value.dtype() == DType::kTensor) {
    for (const Tensor& item : value.tensors()) bytes += memory_of(item);
  }
  return bytes;
}

Tensor copied(const Tensor& value) { return value.defined() ? value.clone() : value; }

bool same_bits(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.dtype() == DType::kString) return std::ranges::equal(a.strings(), b.strings());
  if (a.dtype() == DType::kTensor) return std::ranges::equal(a.tensors(), b.tensors(), same_bits);
  return a.byte_size() == 0 || std::memcmp(a.raw(), b.raw(), a.byte_size()) == 0;
}

std::string position(int64_t index, const Shape& shape) {
  std::string text;
  for (size_t i = shape.size(); i-- > 0 && shape[i] > 0; index /= shape[i]) {
    text = fmt::format("{}{}{}", index % shape[i], text.empty() ? "" : ", ", text);
  }
  return "[" + text + "]";
}

struct Difference {
  std::string name, type, what;
  Closeness closeness;
  std::string at;  // of the greatest error
};

// How `a` differs from `b`; nothing if it does not, and `closeness` then tells how close they are. Without a tolerance every bit counts.
std::optional<Difference> difference(const std::string& name, const Tensor& a, const Tensor& b, const std::optional<Tolerance>& tolerance,
                                     Closeness& closeness) {
  closeness = {};
  if (same_bits(a, b)) return std::nullopt;
  closeness = compare_tensors(b, a, tolerance.value_or(Tolerance{0, 0}));
  if (tolerance && closeness.close) return std::nullopt;
  Difference result{name, a.defined() ? fmt::format("{} {}", to_string(a.dtype()), to_string(a.shape())) : "none", "", closeness, ""};
  if (closeness.mismatches > 0) result.at = position(closeness.worst, a.shape());
  if (closeness.close) {
    result.what = "equal numbers of other bits: signs of zeros, or NaNs";
  } else if (!closeness.difference.empty()) {
    result.what = closeness.difference;
  } else {
    result.what = fmt::format("max abs error {:.3g}, max rel error {:.3g}, {} of {} elements{}", closeness.max_abs_error,
                              closeness.max_rel_error, closeness.mismatches, closeness.elements, tolerance ? " beyond the tolerance" : "");
    if (!result.at.empty()) {
      result.what += fmt::format("; greatest at {}: A has {}, B has {}", result.at, closeness.worst_expected, closeness.worst_actual);
    }
  }
  return result;
}

// The value whose error takes the greatest part of what is tolerated.
struct Closest {
  std::string name;
  Closeness closeness;
};

struct Report {
  std::string a, b;
  std::optional<Tolerance> tolerance;
  size_t compared = 0, only_a = 0, only_b = 0;  // values; compared: up to the first that differs
  size_t in_both = 0;
  std::optional<Difference> first;
  std::optional<Closest> closest;  // of those that are close; none where all have the same bits
  std::string maker_a, maker_b;
  size_t outputs = 0;
  std::vector<Difference> output_differences;

  bool equal() const { return !first && output_differences.empty(); }
};

class Comparison {
 public:
  Comparison(const Side& a, const Side& b, const Feeds& feeds_a, const Feeds& feeds_b, const std::optional<Tolerance>& tolerance)
      : a_(a), b_(b), feeds_a_(feeds_a), feeds_b_(feeds_b) {
    report_.a = a.name();
    report_.b = b.name();
    report_.tolerance = tolerance;
  }

  Report run() {
    survey();
    for (size_t begin = 0; begin < both_.size() && !report_.first;) begin = compare_batch(begin);
    if (report_.first) {
      report_.maker_a = a_.maker(report_.first->name, shapes_of(feeds_a_));
      report_.maker_b = b_.maker(report_.first->name, shapes_of(feeds_b_));
    }
    return std::move(report_);
  }

 private:
  static InputShapes shapes_of(const Feeds& feeds) {
    InputShapes shapes;
    for (const auto& [name, value] : feeds) {
      if (value.defined() && value.dtype() != DType::kTensor) shapes.emplace_back(name, value.shape());
    }
    return shapes;
  }

  // Runs both once: which values they have, and their outputs.
  void survey() {
    std::set<std::string> in_b;
    std::vector<std::pair<std::string, size_t>> in_a;
    const std::vector<Tensor> of_a =
        a_.observe(feeds_a_, [&](const std::string& name, const Tensor& value) { in_a.emplace_back(name, memory_of(value)); });
    const std::vector<Tensor> of_b = b_.observe(feeds_b_, [&](const std::string& name, const Tensor&) { in_b.insert(name); });
    for (auto& entry : in_a) {
      if (in_b.contains(entry.first)) both_.push_back(std::move(entry));
    }
    report_.in_both = both_.size();
    report_.only_a = in_a.size() - both_.size();
    report_.only_b = in_b.size() - both_.size();
    compare_outputs(of_a, of_b);
  }

  std::optional<Difference> compare(const std::string& name, const Tensor& a, const Tensor& b) {
    Closeness closeness;
    std::optional<Difference> found = difference(name, a, b, report_.tolerance, closeness);
    const double least = report_.closest ? report_.closest->closeness.tolerance_share : 0;
    if (!found && closeness.tolerance_share > least) report_.closest = {name, closeness};
    return found;
  }

  // By name; by place where the models call none alike.
  void compare_outputs(const std::vector<Tensor>& of_a, const std::vector<Tensor>& of_b) {
    const std::vector<NodeArg>&names_a = a_.session().outputs(), &names_b = b_.session().outputs();
    const auto in_b = [&](const NodeArg& output) { return std::ranges::find(names_b, output.name, &NodeArg::name) - names_b.begin(); };
    const bool by_name = std::ranges::any_of(names_a, [&](const NodeArg& o) { return in_b(o) < std::ssize(names_b); });
    for (size_t i = 0; i < of_a.size(); ++i) {
      const size_t other = by_name ? static_cast<size_t>(in_b(names_a[i])) : i;
      if (other >= of_b.size()) continue;
      ++report_.outputs;
      if (auto found = compare(names_a[i].name, of_a[i], of_b[other])) {
        report_.output_differences.push_back(std::move(*found));
      }
    }
    if (report_.outputs == 0) throw Error(ErrorCode::kInvalidArgument, "the models have no output in common");
  }

  // Keeps values of A, from the one at `begin` on, until they take too much memory, and compares those of B with them. Returns where to go
  // on.
  size_t compare_batch(size_t begin) {
    constexpr size_t kMostBytes = size_t{256} << 20;
    std::map<std::string, std::pair<size_t, Tensor>, std::less<>> kept;
    size_t end = begin, bytes = 0;
    for (; end < both_.size() && (end == begin || bytes + both_[end].second <= kMostBytes); ++end) {
      bytes += both_[end].second;
      kept.emplace(both_[end].first, std::pair(end, Tensor()));
    }
    a_.observe(feeds_a_, [&](const std::string& name, const Tensor& value) {
      const auto entry = kept.find(name);
      if (entry != kept.end()) entry->second.second = copied(value);
    });
    size_t first = end;
    b_.observe(feeds_b_, [&](const std::string& name, const Tensor& value) {
      const auto entry = kept.find(name);
      if (entry == kept.end() || entry->second.first >= first) return;
      auto found = compare(name, entry->second.second, value);
      entry->second.second = Tensor();
      if (!found) return;
      first = entry->second.first;
      report_.first = std::move(found);
    });
    report_.compared = report_.first ? first + 1 : end;
    return end;
  }

  const Side &a_, &b_;
  const Feeds &feeds_a_, &feeds_b_;
  std::vector<std::pair<std::string, size_t>> both_;  // values in the running order of A, and their bytes
  Report report_;
};

std::string to_text(const Report& report, size_t most) {
  std::string text = fmt::format("A: {}\nB: {}\n", report.a, report.b);
  text += report.tolerance ? fmt::format("close: |A - B| <= {:g} + {:g} |A|\n", report.tolerance->atol, report.tolerance->rtol)
                           : std::string("equal: the same bits\n");
  text += fmt::format("{} in both; {} only in A, {} only in B{}\n", count_of(report.in_both, "value"), report.only_a, report.only_b,
                      report.only_a + report.only_b > 0 ? " (fused, folded, inside a chain, or named differently)" : "");
  if (report.first) {
    text += fmt::format("first difference: value '{}' {} (number {} of {})\n  {}\n", report.first->name, report.first->type,
                        report.compared, report.in_both, report.first->what);
    if (!report.maker_a.empty()) text += fmt::format("  A: {}\n", report.maker_a);
    if (!report.maker_b.empty()) text += fmt::format("  B: {}\n", report.maker_b);
  }
  if (report.closest) {
    const auto& [name, closeness] = *report.closest;
    text += fmt::format("greatest error {}: {:.3g} of the tolerance at value '{}' (max abs error {:.3g}, max rel error {:.3g})\n",
                        report.equal() ? "of all" : "of those before, and of equal outputs", closeness.tolerance_share, name,
                        closeness.max_abs_error, closeness.max_rel_error);
  }
  if (report.equal()) {
    const bool same_bits = report.tolerance && !report.closest;
    return text + fmt::format("equal: {}, {}{}\n", count_of(report.compared, "value"), count_of(report.outputs, "output"),
                              same_bits ? ", even in all bits" : "");
  }
  text += fmt::format("outputs that differ: {} of {}\n", report.output_differences.size(), report.outputs);
  for (size_t i = 0; i < std::min(most, report.output_differences.size()); ++i) {
    const Difference& found = report.output_differences[i];
    text += fmt::format("  output '{}' {}: {}\n", found.name, found.type, found.what);
  }
  if (report.output_differences.size() > most) text += fmt::format("  and {} more\n", report.output_differences.size() - most);
  return text;
}

nlohmann::ordered_json to_json(const Difference& found) {
  return {{"name", found.name},
          {"type", found.type},
          {"what", found.what},
          {"max_abs_error", found.closeness.max_abs_error},
          {"max_rel_error", found.closeness.max_rel_error},
          {"mismatches", found.closeness.mismatches},
          {"elements", found.closeness.elements},
          {"at", found.at}};
}

nlohmann::ordered_json to_json(const Closest& closest) {
  return {{"name", closest.name},
          {"tolerance_share", closest.closeness.tolerance_share},
          {"max_abs_error", closest.closeness.max_abs_error},
          {"max_rel_error", closest.closeness.max_rel_error}};
}

std::string to_json(const Report& report) {
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  for (const Difference& found : report.output_differences) outputs.push_back(to_json(found));
  nlohmann::ordered_json json = {{"equal", report.equal()},
                                 {"a", report.a},
                                 {"b", report.b},
                                 {"rtol", report.tolerance ? report.tolerance->rtol : 0},
                                 {"atol", report.tolerance ? report.tolerance->atol : 0},
                                 {"bitwise", !report.tolerance},
                                 {"values_in_both", report.in_both},
                                 {"values_only_in_a", report.only_a},
                                 {"values_only_in_b", report.only_b},
                                 {"values_compared", report.compared},
                                 {"first", report.first ? to_json(*report.first) : nlohmann::ordered_json(nullptr)},
                                 {"first_made_by_a", report.maker_a},
                                 {"first_made_by_b", report.maker_b},
                                 {"closest", report.closest ? to_json(*report.closest) : nlohmann::ordered_json(nullptr)},
                                 {"outputs", report.outputs},
                                 {"output_differences", std::move(outputs)}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// What --against does not tell is as of A.
SideArguments other_side(const Arguments& arguments) {
  SideArguments b = arguments.b;
  const SideArguments& a = arguments.a;
  if (b.model.empty() && b.rewrites.level.empty() && b.simd.empty() && b.threads < 0 && b.rewrites.without.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "there is nothing to compare with: give a second model, --against LEVEL, --against-threads N, --against-simd TARGET or "
                "--against-without PASSES");
  }
  if (b.model.empty()) b.model = a.model;
  if (b.rewrites.level.empty()) b.rewrites.level = a.rewrites.level;
  if (b.simd.empty()) b.simd = a.simd;
  if (b.threads < 0) b.threads = a.threads;
  if (b.rewrites.without.empty()) b.rewrites.without = a.rewrites.without;
  return b;
}

bool keeps_bits(const std::string& level) { return level == "none" || level == "basic"; }

// Every bit counts where every bit is promised: for one model at any number of threads, and at levels that only fold and remove.
std::optional<Tolerance> tolerance_of(const Arguments& arguments, const SideArguments& b) {
  const SideArguments& a = arguments.a;
  const bool same_rewrites = a.rewrites.level == b.rewrites.level && a.rewrites.without == b.rewrites.without;
  const bool keep_bits = keeps_bits(a.rewrites.level) && keeps_bits(b.rewrites.level);
  const bool bits = a.model == b.model && a.simd == b.simd && (same_rewrites || keep_bits);
  if (bits && !arguments.rtol && !arguments.atol) return std::nullopt;
  return Tolerance{arguments.rtol.value_or(1e-3), arguments.atol.value_or(1e-5)};
}

Feeds feeds_for(const InferenceSession& session, const Feeds& feeds) {
  Feeds result;
  for (const NodeArg& input : session.inputs()) {
    const auto found = std::ranges::find(feeds, input.name, &std::pair<std::string, Tensor>::first);
    if (found == feeds.end()) {
      throw Error(ErrorCode::kInvalidArgument, fmt::format("B has an input '{}', A has none of that name; rename it", input.name));
    }
    result.push_back(*found);
  }
  return result;
}

int diff(const Arguments& arguments) {
  const SideArguments other = other_side(arguments);
  const Side a(arguments.a, arguments);
  const Side b(other, arguments);
  const Feeds feeds_a = make_feeds(a.session(), arguments.inputs), feeds_b = feeds_for(b.session(), feeds_a);
  const Report report = Comparison(a, b, feeds_a, feeds_b, tolerance_of(arguments, other)).run();
  use_simd_target("");
  print(arguments.json ? to_json(report) : to_text(report, arguments.most_differences));
  return report.equal() ? 0 : 1;
}

void add_side(CLI::App& command, SideArguments& side, bool is_other) {
  const std::string prefix = is_other ? "--against-" : "--", whose = is_other ? " of B" : "";
  if (is_other) side.rewrites.level.clear();
  side.rewrites.add_options(command, is_other ? "--against" : "--optimize", prefix + "without", whose);
  command.add_option(prefix + "threads", side.threads, "Threads" + whose + "; 0: as many as this process may use")
      ->check(CLI::NonNegativeNumber);
  command.add_option(prefix + "simd", side.simd, "One of the SIMD targets of this machine" + whose)->check(CLI::IsMember(simd_targets()));
}
}  // namespace

void add_diff(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("diff",
                         "Runs two models, or one in two ways, on the same inputs and names the first value that differs, in running "
                         "order. What is not told of B is as of A. Exit status: 0 equal, 1 different.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("A", arguments->a.model, "An .onnx file")->required();
  command->add_option("B", arguments->b.model, "Another, with inputs of the same names; A again where it is left out");
  add_side(*command, arguments->a, false);
  add_side(*command, arguments->b, true);
  arguments->inputs.add_options(*command);
  command->add_option("--rtol", arguments->rtol,
                      "Relative tolerance (1e-3; none, nor --atol, where both give the same bits: one model at other numbers of threads)");
  command->add_option("--atol", arguments->atol, "Absolute tolerance (1e-5)");
  command->add_option("--max", arguments->most_differences, "Outputs to tell")->capture_default_str();
  command->add_flag("--json", arguments->json, "Report as JSON");
  add_custom_ops_option(*command, arguments->custom_ops);
  command->callback([arguments, &status] { status = diff(*arguments); });
}

}  // namespace sardonyx::cli
