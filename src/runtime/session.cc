#include "runtime/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/float_scope.h"
#include "core/memory_budget.h"

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

// What the plan depends on of a fed value: nothing, where it is no plain tensor.
const Shape& planned_shape(const Program& program, size_t input, const Tensor& fed) {
  static const Shape kNone;
  return program.signature().inputs()[input].is_structure ? kNone : fed.shape();
}

// Planning and computing of a run, which end when the caller wants them to; errors begin with its tag.
template <class Body>
auto as_asked(const RunOptions& run_options, const Body& body) {
  const core::Interrupt interrupt(run_options.cancel, run_options.deadline);
  const core::InterruptScope scope(&interrupt);
  if (run_options.tag.empty()) return body();
  return with_trail([&] { return fmt::format("run '{}'", run_options.tag); }, body);
}

Program load(model::Model model, const Backend& backend, const SessionOptions& options, std::shared_ptr<WorkspacePool> workspaces) {
  const core::FloatScope floats(options.flush_denormals);  // folded values are those that a run would give
  std::shared_ptr<ops::WeightCache> weights;
  if (!options.packed_weights_cache.empty()) weights = std::make_shared<ops::WeightCache>(options.packed_weights_cache);
  return Program(std::move(model), backend, options, {std::move(weights), std::move(workspaces)});
}

// Bytes of the outputs that the caller has bound.
size_t given_bytes(std::span<const Tensor> results) {
  size_t bytes = 0;
  for (const Tensor& result : results) bytes += result.defined() ? result.byte_size() : 0;
  return bytes;
}

}  // namespace

Session::Session(model::Model model, const Backend& backend, SessionOptions options)
    : options_(checked(std::move(options))),
      log_(options_),
      pool_(options_.thread_pool ? options_.thread_pool : std::make_shared<core::ThreadPool>(options_.intra_op_num_threads)),
      workspaces_(std::make_shared<WorkspacePool>(options_.max_memory == 0)),
      program_(load(std::move(model), backend, options_, workspaces_)),
      plans_(options_.max_plans),
      load_phases_(program_.load_phases()) {
  if (!options_.profile_path.empty()) profile_ = std::make_unique<Profile>(options_.profile_path, options_.max_profile_events);
}

void Session::finish_loading(std::vector<LoadPhase> before) {
  load_phases_.insert(load_phases_.begin(), before.begin(), before.end());
  if (profile_) profile_->add_loading(load_phases_, program_.passes());
  log_.loaded(program_, load_phases_, threads());
}

std::filesystem::path Session::end_profiling() {
  if (profile_) profile_->finish();
  return options_.profile_path;
}

void Session::resolve_outputs(const std::vector<std::string>& names, std::pmr::vector<size_t>& indexes) const {
  if (names.empty()) {
    indexes.resize(program_.outputs().size());
    std::iota(indexes.begin(), indexes.end(), size_t{0});
    return;
  }
  for (const std::string& name : names) indexes.push_back(output_index(program_, name));
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
  const core::FloatScope floats(options_.flush_denormals);
  const auto start = std::chrono::steady_clock::now();
  plan = std::make_shared<const Plan>(program_, std::move(key), *pool_);
  if (profile_) profile_->add_plan(*plan, start);
  log_.planned(program_, *plan, start);
  return plans_.remember(std::move(plan));
}

void Session::check_memory(const Plan& plan) const {
  const size_t needed = plan.peak_memory() + plan.output_memory() + plan.inner_memory();
  if (options_.max_memory == 0 || needed <= options_.max_memory) return;
  const std::string inner =
      plan.inner_memory() == 0 ? "" : fmt::format(", at least {} for graphs inside nodes", megabytes(plan.inner_memory()));
  Error error(ErrorCode::kResourceLimit,
              fmt::format("a run with {} needs {} ({} for intermediate values, {} for outputs{}); max_memory is {}. Feed less at once, or "
                          "raise max_memory to at least {} bytes",
                          describe_inputs(program_, plan.key()), megabytes(needed), megabytes(plan.peak_memory()),
                          megabytes(plan.output_memory()), inner, megabytes(options_.max_memory), needed));
  log_.refused(error);
  throw error;
}

std::shared_ptr<const Plan> Session::plan_of_feeds(std::span<const Tensor* const> inputs, std::span<const size_t> outputs) {
  return plan_for([&](size_t i) -> const Shape& { return planned_shape(program_, i, *inputs[i]); }, outputs);
}

void Session::run_plan(const Plan& plan, std::span<const Tensor* const> inputs, std::span<Tensor> results, const RunSetting& setting) {
  check_memory(plan);
  // What is known before the run is within the limit; the rest is held to it when it is made.
  const bool is_counted = options_.max_memory != 0 && plan.depends_on_data();
  const core::MemoryScope memory(is_counted ? std::make_shared<core::MemoryBudget>(options_.max_memory) : nullptr);
  const core::MemoryCharge charge(is_counted ? plan.peak_memory() + given_bytes(results) : 0);
  const WorkspacePool::Lease workspace(*workspaces_, plan.peak_memory());
  const core::FloatScope floats(options_.flush_denormals);
  const core::InterruptScope interrupt(setting.interrupt);
  plan.run(inputs, results, *workspace, setting);
  if (program_.weight_cache()) program_.weight_cache()->save();
}

void Session::run_plan(const std::shared_ptr<const Plan>& plan, std::span<const Tensor* const> inputs, std::span<Tensor> results,
                       const RunOptions& run_options) {
  RunSetting setting{*pool_, core::InterruptScope::current()};
  if (!profile_) return run_plan(*plan, inputs, results, setting);
  ProfiledRun profiled(*profile_, plan, run_options.tag, threads());
  setting.seconds = profiled.seconds();
  run_plan(*plan, inputs, results, setting);
  profiled.succeeded();
}

std::vector<Tensor> Session::run(const std::vector<std::string>& output_names, const Feeds& feeds, const RunOptions& run_options) {
  return as_asked(run_options, [&] { return run_feeds(output_names, feeds, run_options); });
}

void Session::run(Binding& binding, const RunOptions& run_options) {
  as_asked(run_options, [&] { run_bound(binding, run_options); });
}

std::vector<Tensor> Session::run_feeds(const std::vector<std::string>& output_names, const Feeds& feeds, const RunOptions& run_options) {
  std::array<std::byte, kStackBytes> stack;
  std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
  std::pmr::vector<const Tensor*> inputs(&memory);
  std::pmr::vector<size_t> outputs(&memory);
  program_.signature().resolve(feeds, inputs);
  resolve_outputs(output_names, outputs);
  std::vector<Tensor> results(outputs.size());
  run_plan(plan_of_feeds(inputs, outputs), inputs, results, run_options);
  if (output_names.empty()) return results;
  std::vector<Tensor> ordered;
  ordered.reserve(output_names.size());
  for (const std::string& name : output_names) {
    const Tensor& result = results[static_cast<size_t>(std::ranges::find(outputs, output_index(program_, name)) - outputs.begin())];
    const bool again = std::ranges::find(ordered, result.identity(), &Tensor::identity) != ordered.end();
    ordered.push_back(again ? result.clone() : result);
  }
  return ordered;
}

// The plan of what is bound, and what its runs are given.
void Session::plan_binding(Binding& binding) {
  std::vector<std::string_view> fed;
  binding.inputs_.assign(binding.feeds_.size(), nullptr);
  for (size_t i = 0; i < binding.feeds_.size(); ++i) {
    if (!binding.feeds_[i]) continue;
    binding.inputs_[i] = &*binding.feeds_[i];
    fed.push_back(program_.signature().inputs()[i].arg.name);
  }
  program_.signature().complete(binding.inputs_, fed);
  std::vector<size_t> outputs;
  for (const Binding::BoundOutput& output : binding.bound_) outputs.push_back(output.index);
  if (outputs.empty()) throw Error(ErrorCode::kInvalidArgument, "no output is bound");
  std::ranges::sort(outputs);
  const std::shared_ptr<const Plan> plan = plan_of_feeds(binding.inputs_, outputs);
  binding.results_.assign(outputs.size(), Tensor());
  for (Binding::BoundOutput& output : binding.bound_) {
    output.result = static_cast<size_t>(std::ranges::find(outputs, output.index) - outputs.begin());
    binding.results_[output.result] = output.given;
    const PlanValue& value = plan->result_value(output.result);
    if (!output.given.defined() || !value.shape_known) continue;
    if (output.given.dtype() == value.dtype && output.given.shape() == value.shape) continue;
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("output '{}' is {} {} for these inputs; the bound tensor is {} {}", program_.outputs()[output.index].name,
                    to_string(value.dtype), to_string(value.shape), to_string(output.given.dtype()), to_string(output.given.shape())));
  }
  binding.outputs_.resize(binding.bound_.size());
  binding.plan_ = plan;
}

void Session::run_bound(Binding& binding, const RunOptions& run_options) {
  if (&binding.program_ != &program_) throw Error(ErrorCode::kInvalidArgument, "the binding is of another session");
  if (!binding.plan_) plan_binding(binding);
  binding.check_overlaps();
  for (const Binding::BoundOutput& output : binding.bound_) {
    // A result whose shape depends on data is made by each run.
    const bool is_made_anew = !output.given.defined() && !binding.plan_->result_value(output.result).shape_known;
    if (is_made_anew) binding.results_[output.result] = Tensor();
  }
  run_plan(binding.plan_, binding.inputs_, binding.results_, run_options);
  for (size_t i = 0; i < binding.bound_.size(); ++i) binding.outputs_[i] = binding.results_[binding.bound_[i].result];
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
  const std::shared_ptr<const Plan> plan = plan_of_feeds(inputs, outputs);
  PlanReport report = plan->report();
  std::vector<double> seconds(report.steps.size()), chain_seconds(plan->chain_node_count());
  const RunSetting setting{.pool = *pool_, .seconds = seconds.data(), .chain_seconds = chain_seconds.data()};
  std::vector<Tensor> results(outputs.size());
  run_plan(*plan, inputs, results, setting);
  run_plan(*plan, inputs, results, setting);
  size_t part = 0;
  for (size_t i = 0; i < seconds.size(); ++i) {
    report.steps[i].seconds = seconds[i];
    for (StepReport& node : report.steps[i].nodes) node.seconds = chain_seconds[part++];
  }
  return report;
}

std::vector<Tensor> Session::observe(const Feeds& feeds, const ValueObserver& observer) {
  std::pmr::vector<const Tensor*> inputs;
  std::pmr::vector<size_t> outputs;
  program_.signature().resolve(feeds, inputs);
  resolve_outputs({}, outputs);
  std::vector<Tensor> results(outputs.size());
  run_plan(*plan_of_feeds(inputs, outputs), inputs, results, {.pool = *pool_, .observer = &observer});
  return results;
}

}  // namespace sardonyx::runtime
