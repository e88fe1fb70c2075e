#include "runtime/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/closest.h"
#include "core/cpu_info.h"

namespace sardonyx::runtime {
namespace {

constexpr size_t kStackBytes = 2048;  // of a run's bookkeeping; larger models take the rest from the heap

SessionOptions checked(SessionOptions options) {
  if (options.intra_op_num_threads < 0) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("intra_op_num_threads is {}; 0 means all", options.intra_op_num_threads));
  }
  if (options.max_plans == 0) throw Error(ErrorCode::kInvalidArgument, "max_plans is 0; at least one plan must be kept");
  return options;
}

std::string megabytes(size_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

// What the plan depends on of a fed value: nothing, where it is no plain tensor.
const Shape& planned_shape(const Program& program, size_t input, const Tensor& fed) {
  static const Shape kNone;
  return program.signature().inputs()[input].is_structure ? kNone : fed.shape();
}

Program load(model::Model model, const Backend& backend, const SessionOptions& options) {
  const core::FlushDenormals flush;  // folded values are those that a run would give
  std::shared_ptr<ops::WeightCache> weights;
  if (!options.packed_weights_cache.empty()) weights = std::make_shared<ops::WeightCache>(options.packed_weights_cache);
  return Program(std::move(model), backend, options, std::move(weights));
}

}  // namespace

Session::Session(model::Model model, const Backend& backend, SessionOptions options)
    : options_(checked(std::move(options))),
      pool_(options_.thread_pool ? options_.thread_pool : std::make_shared<core::ThreadPool>(options_.intra_op_num_threads)),
      program_(load(std::move(model), backend, options_)),
      plans_(options_.max_plans) {}

size_t Session::output_index(std::string_view name) const {
  const std::vector<NodeArg>& outputs = program_.outputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].name == name) return i;
  }
  std::vector<std::string_view> names;
  for (const NodeArg& output : outputs) names.push_back(output.name);
  throw Error(ErrorCode::kInvalidArgument, fmt::format("there is no output '{}'{}", name, core::closest_hint(name, names)));
}

void Session::resolve_outputs(const std::vector<std::string>& names, std::pmr::vector<size_t>& indexes) const {
  if (names.empty()) {
    indexes.resize(program_.outputs().size());
    std::iota(indexes.begin(), indexes.end(), size_t{0});
    return;
  }
  for (const std::string& name : names) indexes.push_back(output_index(name));
  std::ranges::sort(indexes);
  indexes.erase(std::unique(indexes.begin(), indexes.end()), indexes.end());
}

template <class ShapeOf>
std::shared_ptr<const Plan> Session::plan_for(const ShapeOf& shape_of, std::span<const size_t> outputs) {
  const size_t inputs = program_.signature().inputs().size();
  std::shared_ptr<const Plan> plan = plans_.find([&](const PlanKey& key) {
    bool fits = std::ranges::equal(key.outputs, outputs);
    for (size_t i = 0; fits && i < inputs; ++i) fits = key.shapes[i] == shape_of(i);
    return fits;
  });
  if (plan) return plan;
  PlanKey key{.shapes = {}, .outputs = {outputs.begin(), outputs.end()}, .threads = pool_->threads()};
  for (size_t i = 0; i < inputs; ++i) key.shapes.push_back(shape_of(i));
  const core::FlushDenormals flush;
  plan = std::make_shared<const Plan>(program_, std::move(key), *pool_);
  return plans_.remember(std::move(plan));
}

void Session::check_memory(const Plan& plan) const {
  const size_t needed = plan.peak_memory() + plan.output_memory();
  if (options_.max_memory == 0 || needed <= options_.max_memory) return;
  std::string shapes;
  for (size_t i = 0; i < plan.key().shapes.size(); ++i) {
    shapes += fmt::format("{}'{}' {}", i == 0 ? "" : ", ", program_.signature().inputs()[i].arg.name, to_string(plan.key().shapes[i]));
  }
  throw Error(ErrorCode::kResourceLimit,
              fmt::format("a run with {} needs {} ({} for intermediate values, {} for outputs); max_memory is {}. Feed less at once, or "
                          "raise max_memory to at least {} bytes",
                          shapes.empty() ? "no inputs" : shapes, megabytes(needed), megabytes(plan.peak_memory()),
                          megabytes(plan.output_memory()), megabytes(options_.max_memory), needed));
}

std::vector<Tensor> Session::run_plan(const Plan& plan, std::span<const Tensor* const> inputs, const RunSetting& setting) {
  check_memory(plan);
  const WorkspacePool::Lease workspace(workspaces_, plan.peak_memory());
  const core::FlushDenormals flush;
  std::vector<Tensor> results = plan.run(inputs, *workspace, setting);
  if (program_.weight_cache()) program_.weight_cache()->save();
  return results;
}

std::vector<Tensor> Session::run(const std::vector<std::string>& output_names, const Feeds& feeds, const RunOptions& run_options) {
  std::array<std::byte, kStackBytes> stack;
  std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
  std::pmr::vector<const Tensor*> inputs(&memory);
  std::pmr::vector<size_t> outputs(&memory);
  program_.signature().resolve(feeds, inputs);
  resolve_outputs(output_names, outputs);
  const std::shared_ptr<const Plan> plan =
      plan_for([&](size_t i) -> const Shape& { return planned_shape(program_, i, *inputs[i]); }, outputs);
  const core::Interrupt interrupt(run_options.cancel, run_options.deadline);
  std::vector<Tensor> results = run_plan(*plan, inputs, {*pool_, &interrupt});
  if (output_names.empty()) return results;
  std::vector<Tensor> ordered;
  ordered.reserve(output_names.size());
  for (const std::string& name : output_names) {
    const Tensor& result = results[static_cast<size_t>(std::ranges::find(outputs, output_index(name)) - outputs.begin())];
    const bool again = std::ranges::find(ordered, result.identity(), &Tensor::identity) != ordered.end();
    ordered.push_back(again ? result.clone() : result);
  }
  return ordered;
}

PlanReport Session::explain(const InputShapes& shapes) {
  const std::vector<Shape> inputs = program_.signature().resolve(shapes);
  std::pmr::vector<size_t> outputs;
  resolve_outputs({}, outputs);
  return plan_for([&](size_t i) -> const Shape& { return inputs[i]; }, outputs)->report();
}

PlanReport Session::profile(const Feeds& feeds) {
  std::pmr::vector<const Tensor*> inputs;
  std::pmr::vector<size_t> outputs;
  program_.signature().resolve(feeds, inputs);
  resolve_outputs({}, outputs);
  const std::shared_ptr<const Plan> plan =
      plan_for([&](size_t i) -> const Shape& { return planned_shape(program_, i, *inputs[i]); }, outputs);
  PlanReport report = plan->report();
  std::vector<double> seconds(report.steps.size());
  const RunSetting setting{*pool_, nullptr, seconds.data()};
  run_plan(*plan, inputs, setting);
  run_plan(*plan, inputs, setting);
  for (size_t i = 0; i < seconds.size(); ++i) report.steps[i].seconds = seconds[i];
  return report;
}

}  // namespace sardonyx::runtime
