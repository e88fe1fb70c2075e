#include "runtime/plan.h"

#include <algorithm>
#include <chrono>

#include "runtime/chain.h"
#include "runtime/plan_builder.h"

namespace sardonyx::runtime {
namespace {

bool is_one_of(const Tensor& tensor, std::span<const Tensor> others) {
  return tensor.defined() && tensor.numel() > 0 &&
         std::ranges::any_of(others, [&](const Tensor& other) { return other.defined() && other.raw() == tensor.raw(); });
}

// Whether a tensor begins within the memory of another one.
bool lies_in(const Tensor& tensor, const Tensor& other) {
  const auto at = reinterpret_cast<uintptr_t>(tensor.raw()), begin = reinterpret_cast<uintptr_t>(other.raw());
  return at >= begin && at - begin < std::max<size_t>(other.byte_size(), 1);
}

class Clock {
 public:
  double seconds_since_last() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace

// The tensors of one run. Handles to constants and to places in the workspace are made once; the others by each run.
struct Plan::Frame {
  bool ready = false;
  std::byte* base = nullptr;
  std::vector<Tensor> slots;
  std::vector<Tensor> run_values;
  GuardedResults guarded;
};

std::shared_ptr<const ops::Bound> LateBinder::bind(const ops::Prepared& prepared, std::span<const ops::ValueFacts> facts, int threads) {
  const auto fits = [&](const Entry& entry) {
    return std::ranges::equal(
        entry.inputs, facts, [](const auto& known, const ops::ValueFacts& f) { return known.first == f.dtype && known.second == f.shape; });
  };
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(entries_, fits);
    if (found != entries_.end()) return found->bound;
  }
  Entry fresh{{}, prepared.bind({facts, threads})};
  for (const ops::ValueFacts& f : facts) fresh.inputs.emplace_back(f.dtype, f.shape);
  std::shared_ptr<const ops::Bound> bound = fresh.bound;
  const std::lock_guard lock(mutex_);
  if (entries_.size() < kCapacity) {
    entries_.push_back(std::move(fresh));
  } else {
    entries_[next_++ % kCapacity] = std::move(fresh);
  }
  return bound;
}

Plan::Plan(const Program& program, PlanKey key, core::ThreadPool& pool) : program_(program), key_(std::move(key)) {
  PlanBuilder(*this, pool).build();
}

Plan::~Plan() = default;

Tensor Plan::handle(ValueId id, std::byte* base) const {
  if (id == kAbsent) return {};
  const PlanValue& value = values_[static_cast<size_t>(id)];
  if (value.place == Place::kConstant) return value.constant;
  if (value.place != Place::kArena) return {};
  return Tensor::from_blob(base + values_[static_cast<size_t>(value.root)].offset, value.shape, value.dtype);
}

// The frame made for that workspace; only the run that holds the workspace touches it.
Plan::Frame& Plan::frame(Workspace& workspace) const {
  Frame* frame = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (frames_.size() <= workspace.index) frames_.resize(workspace.index + 1);
    std::unique_ptr<Frame>& entry = frames_[workspace.index];
    if (!entry) entry = std::make_unique<Frame>();
    frame = entry.get();
  }
  if (frame->ready && frame->base == workspace.arena.data()) return *frame;
  frame->base = workspace.arena.data();
  frame->slots.resize(slots_.size());
  for (size_t i = 0; i < slots_.size(); ++i) frame->slots[i] = handle(slots_[i], frame->base);
  frame->run_values.resize(run_values_);
  frame->ready = true;
  return *frame;
}

void Plan::start(Frame& frame, std::span<const Tensor* const> inputs) const {
  frame.guarded = GuardedResults();
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (input_run_values_[i] >= 0) frame.run_values[static_cast<size_t>(input_run_values_[i])] = *inputs[i];
  }
  for (const ValueId id : allocated_) {
    const PlanValue& value = values_[static_cast<size_t>(id)];
    frame.run_values[static_cast<size_t>(value.run_value)] =
        guard_ ? frame.guarded.make(value.shape, value.dtype) : Tensor::empty(value.shape, value.dtype);
  }
  for (const Reshaped& made : reshaped_) {
    frame.run_values[static_cast<size_t>(made.run_value)] = frame.run_values[static_cast<size_t>(made.source)].reshape(made.shape);
  }
}

std::vector<Tensor> Plan::run(std::span<const Tensor* const> inputs, Workspace& workspace, const RunSetting& setting) const {
  Frame& frame = this->frame(workspace);
  // Lets feeds and results go, also when an operator throws; the frame is then made anew.
  struct Clear {
    Frame& frame;
    ~Clear() {
      for (Tensor& tensor : frame.run_values) tensor = Tensor();
    }
  } clear{frame};
  frame.ready = false;
  start(frame, inputs);
  Clock clock;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const PlanStep& step = steps_[i];
    if (setting.interrupt) setting.interrupt->check();
    if (!step.aliased) {
      with_trail([&] { return node_of(step).where(); }, [&] { run_guarded(i, frame, setting); });
    }
    if (setting.seconds) setting.seconds[i] = clock.seconds_since_last();
  }
  frame.ready = true;
  return take_results(frame, setting.lend_inputs);
}

void Plan::run_guarded(size_t step, Frame& frame, const RunSetting& setting) const {
  if (guard_) guard_->before_step(frame.base, static_cast<int32_t>(step));
  run_step(steps_[step], frame, setting);
  if (guard_) guard_->after_step(frame.base, static_cast<int32_t>(step));
}

void Plan::run_step(const PlanStep& step, Frame& frame, const RunSetting& setting) const {
  const ProgramNode& node = node_of(step);
  const auto run_value = [&](size_t slot) {
    const ValueId id = slots_[slot];
    return id == kAbsent ? -1 : values_[static_cast<size_t>(id)].run_value;
  };
  const std::span<Tensor> inputs(frame.slots.data() + step.first_input, node.inputs.size());
  const std::span<Tensor> outputs(frame.slots.data() + step.first_output, node.outputs.size());
  const size_t end = step.first_output + outputs.size();
  for (size_t slot = step.first_input; slot < end; ++slot) {
    if (const int32_t v = run_value(slot); v >= 0) frame.slots[slot] = frame.run_values[static_cast<size_t>(v)];
  }
  if (step.late) {
    run_late(step, inputs, outputs, setting);
  } else {
    if (!step.bound->dynamic) allocate_missing(*step.bound, node, outputs);
    step.bound->run({inputs, outputs, frame.base + step.scratch_offset, setting.pool, setting.interrupt});
    if (step.bound->dynamic) own_results(node, *step.bound, inputs, outputs);
  }
  for (size_t slot = step.first_input; slot < end; ++slot) {
    const int32_t v = run_value(slot);
    if (v < 0) continue;
    if (slot >= step.first_output) frame.run_values[static_cast<size_t>(v)] = frame.slots[slot];
    frame.slots[slot] = Tensor();
  }
  for (const int32_t v : step.last_uses) frame.run_values[static_cast<size_t>(v)] = Tensor();
}

// Outputs that have no place yet.
void Plan::allocate_missing(const ops::Bound& bound, const ProgramNode& node, std::span<Tensor> outputs) {
  for (size_t i = 0; i < outputs.size() && i < bound.outputs.size(); ++i) {
    if (node.outputs[i] == kAbsent || outputs[i].defined()) continue;
    outputs[i] = Tensor::empty(bound.outputs[i].shape, bound.outputs[i].dtype);
  }
}

// The value in memory of its own, where it is, or holds, an input whose memory is not the run's alone: a place in the arena that soon has
// another value, a feed, a weight.
Tensor Plan::owned(const Tensor& tensor, const ProgramNode& node, std::span<const Tensor> inputs) const {
  if (!tensor.defined() || tensor.numel() == 0) return tensor;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !lies_in(tensor, inputs[i])) continue;
    return values_[static_cast<size_t>(node.inputs[i])].place == Place::kHeap ? tensor : tensor.clone();
  }
  if (tensor.dtype() != DType::kTensor) return tensor;
  std::vector<Tensor> items;
  bool changed = false;
  for (const Tensor& item : tensor.tensors()) {
    items.push_back(owned(item, node, inputs));
    changed = changed || items.back().identity() != item.identity();
  }
  return changed ? Tensor::of_tensors(std::move(items)) : tensor;
}

// A dynamic kernel may hand out its inputs.
void Plan::own_results(const ProgramNode& node, const ops::Bound& bound, std::span<const Tensor> inputs, std::span<Tensor> outputs) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] == kAbsent) continue;
    if (!outputs[i].defined() && !bound.may_empty) {
      throw Error(ErrorCode::kInternal, "the kernel left output '" + node.node.output[i] + "' undefined");
    }
    outputs[i] = owned(outputs[i], node, inputs);
  }
}

void Plan::run_late(const PlanStep& step, std::span<const Tensor> inputs, std::span<Tensor> outputs, const RunSetting& setting) const {
  const ProgramNode& node = node_of(step);
  std::vector<ops::ValueFacts> facts;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (node.inputs[i] == kAbsent) {
      facts.emplace_back();
      continue;
    }
    const PlanValue& value = values_[static_cast<size_t>(node.inputs[i])];
    if (value.place == Place::kConstant) {
      facts.push_back({value.dtype, value.shape, value.constant.defined() ? &value.constant : nullptr});
    } else {
      facts.push_back(inputs[i].defined() ? ops::ValueFacts{inputs[i].dtype(), inputs[i].shape(), nullptr} : ops::ValueFacts{});
    }
  }
  const std::shared_ptr<const ops::Bound> bound = step.late->bind(*node.prepared, facts, setting.pool.threads());
  if (!bound->dynamic) allocate_missing(*bound, node, outputs);
  core::Arena scratch(bound->scratch_bytes);
  bound->run({inputs, outputs, scratch.data(), setting.pool, setting.interrupt});
  own_results(node, *bound, inputs, outputs);
}

std::vector<Tensor> Plan::take_results(Frame& frame, bool lend_inputs) const {
  std::vector<Tensor> results;
  results.reserve(results_.size());
  for (const Result& result : results_) {
    const PlanValue& value = values_[static_cast<size_t>(result.value)];
    const Tensor& tensor = value.run_value >= 0 ? frame.run_values[static_cast<size_t>(value.run_value)] : value.constant;
    const bool lent = lend_inputs && result.is_input;
    const bool shared = (result.copy && !lent) || guard_ || (value.place == Place::kHeap && is_one_of(tensor, results));
    results.push_back(shared && tensor.defined() ? tensor.clone() : tensor);
  }
  frame.guarded.check();
  return results;
}

const ProgramNode& Plan::node_of(const PlanStep& step) const { return step.chain ? step.chain->node() : program_.nodes()[step.node]; }

StepReport Plan::report(const PlanStep& step) const {
  const ProgramNode& node = node_of(step);
  StepReport report{.node = node.label(),
                    .op = node.op(),
                    .opset = node.opset,
                    .kernel = "",
                    .refusals = {},
                    .output_shape = {},
                    .aliased = step.aliased,
                    .in_place = step.in_place,
                    .late = !step.bound || step.bound->dynamic};
  if (step.bound) {
    report.kernel = step.bound->kernel;
    report.refusals = step.bound->refusals;
    report.flops = step.bound->flops;
    report.scratch_bytes = step.bound->scratch_bytes;
  }
  if (step.chain) report.chain = step.chain->report();
  const auto count = [&](ValueId id) {
    if (id == kAbsent) return;
    const PlanValue& value = values_[static_cast<size_t>(id)];
    if (value.shape_known) report.bytes += storage_bytes(value.dtype, element_count(value.shape));
  };
  std::ranges::for_each(node.inputs, count);
  std::ranges::for_each(node.outputs, count);
  if (!node.outputs.empty() && node.outputs[0] != kAbsent) {
    const PlanValue& first = values_[static_cast<size_t>(node.outputs[0])];
    report.output_dtype = first.dtype;
    report.output_shape = first.shape;
  }
  return report;
}

PlanReport Plan::report() const {
  PlanReport result{
      .steps = {}, .evaluated_nodes = evaluated_, .peak_memory = peak_, .lower_bound_memory = lower_bound_, .output_memory = output_bytes_};
  for (const PlanStep& step : steps_) {
    result.steps.push_back(report(step));
    result.flops += result.steps.back().flops;
  }
  return result;
}

}  // namespace sardonyx::runtime
