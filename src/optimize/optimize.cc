#include "optimize/optimize.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/closest.h"
#include "optimize/expand/expand.h"
#include "optimize/pass.h"
#include "optimize/sort.h"

namespace sardonyx::optimize {
namespace {

constexpr int kMaxSweeps = 16;  // of one pass; a rewrite that makes room for another of its kind rarely needs a third

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

size_t run(GraphView& graph, const Pass& pass) {
  size_t total = 0;
  for (int i = 0; i < kMaxSweeps; ++i) {
    const size_t rewrites = sweep(graph, pass);
    if (rewrites == 0) break;
    total += rewrites;
  }
  return total;
}

}  // namespace

bool is_enabled(std::string_view name, GraphOptimizationLevel level, std::span<const std::string> disabled) {
  const auto pass = std::ranges::find(passes(), name, &Pass::name);
  return pass != passes().end() && pass->level <= level && std::ranges::find(disabled, name) == disabled.end();
}

std::vector<PassReport> optimize(model::Model& model, GraphOptimizationLevel level, std::span<const std::string> disabled) {
  check_names(disabled);
  expand_composites(model);
  put_in_running_order(model.graph);
  GraphView graph(model);
  std::vector<PassReport> reports;
  for (const Pass& pass : passes()) {
    PassReport report{std::string(pass.name), std::string(pass.description), pass.level, 0};
    if (pass.make_rule && is_enabled(pass.name, level, disabled)) report.rewrites = run(graph, pass);
    reports.push_back(std::move(report));
  }
  graph.release();
  return reports;
}

}  // namespace sardonyx::optimize
