#include "optimize/optimize.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/closest.h"
#include "optimize/expand/expand.h"
#include "optimize/pass.h"
#include "optimize/sort.h"

namespace sardonyx::optimize {
namespace {

constexpr int kMaxSweeps = 16;  // of one pass; a rewrite that makes room for another of its kind rarely needs a third
constexpr int kMaxRounds = 3;   // of all passes, for what a later one makes room for
constexpr std::string_view kTidy = "remove_dead";

void check_names(std::span<const std::string> disabled) {
  std::vector<std::string_view> names;
  for (const Pass& pass : passes()) names.push_back(pass.name);
  for (const std::string& name : disabled) {
    if (std::ranges::find(names, name) != names.end()) continue;
    throw Error(ErrorCode::kInvalidArgument, fmt::format("there is no pass '{}'{}", name, core::closest_hint(name, names)));
  }
}

void apply(GraphView& graph, const Pass& pass, size_t node, Patch patch) {
  const std::string where = model::describe(*graph.node(node));
  with_trail([&] { return fmt::format("pass '{}' at {} (disabled_passes can switch it off)", pass.name, where); },
             [&] { graph.apply(std::move(patch)); });
}

size_t sweep(GraphView& graph, const Pass& pass) {
  const Rule rule = pass.make_rule();
  size_t rewrites = 0;
  const size_t count = graph.node_count();
  for (size_t node = 0; node < count; ++node) {
    if (!graph.node(node)) continue;
    std::optional<Patch> patch = rule(graph, node);
    if (!patch) continue;
    apply(graph, pass, node, std::move(*patch));
    ++rewrites;
  }
  return rewrites;
}

void run(GraphView& graph, const Pass& pass, PassReport& report) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kMaxSweeps; ++i) {
    const size_t rewrites = sweep(graph, pass);
    report.refusals = graph.take_refusals();  // of the last sweep: what the others refuse, they may do later
    if (rewrites == 0) break;
    report.rewrites += rewrites;
  }
  report.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One pass after the other; after each that changed something, what nobody reads any more is removed, so that readers can be counted.
bool run_all(GraphView& graph, const std::vector<const Pass*>& enabled, std::vector<PassReport>& reports) {
  const auto report_of = [&](const Pass& pass) -> PassReport& { return *std::ranges::find(reports, pass.name, &PassReport::name); };
  const auto tidy = std::ranges::find(enabled, kTidy, &Pass::name);
  bool changed = false;
  for (const Pass* pass : enabled) {
    PassReport& report = report_of(*pass);
    const size_t before = report.rewrites;
    run(graph, *pass, report);
    if (report.rewrites == before || pass->name == kTidy) continue;
    changed = true;
    if (tidy != enabled.end()) run(graph, **tidy, report_of(**tidy));
  }
  return changed;
}

std::vector<PassReport> run_passes(model::Model& model, GraphOptimizationLevel level, std::span<const std::string> disabled,
                                   bool is_to_save) {
  check_names(disabled);
  expand_composites(model);
  put_in_running_order(model.graph);
  KnownValues known = level > GraphOptimizationLevel::kNone ? known_values(model) : KnownValues();
  GraphView graph(model, std::move(known));
  std::vector<PassReport> reports;
  std::vector<const Pass*> enabled, for_machine;
  for (const Pass& pass : passes()) {
    reports.push_back({std::string(pass.name), std::string(pass.description), pass.level});
    if (!pass.make_rule || !is_enabled(pass.name, level, disabled)) continue;
    (pass.for_machine ? for_machine : enabled).push_back(&pass);
  }
  for (int round = 0; round < kMaxRounds && run_all(graph, enabled, reports);) ++round;
  if (!is_to_save) run_all(graph, for_machine, reports);
  graph.release();
  return reports;
}

}  // namespace

bool is_enabled(std::string_view name, GraphOptimizationLevel level, std::span<const std::string> disabled) {
  const auto pass = std::ranges::find(passes(), name, &Pass::name);
  return pass != passes().end() && pass->level <= level && std::ranges::find(disabled, name) == disabled.end();
}

std::vector<PassReport> optimize(model::Model& model, GraphOptimizationLevel level, std::span<const std::string> disabled) {
  return run_passes(model, level, disabled, false);
}

std::vector<PassReport> optimize_to_save(model::Model& model, GraphOptimizationLevel level, std::span<const std::string> disabled) {
  return run_passes(model, level, disabled, true);
}

}  // namespace sardonyx::optimize
