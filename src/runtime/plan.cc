#include "runtime/plan.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/memory_budget.h"
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

// The tensors of one run. Handles are made once: those to constants and to places in the workspace stay where they are, those to feeds and
// results are moved there by each run, and only what depends on data is made anew.
struct Plan::Frame {
  bool ready = false;
  std::byte* base = nullptr;
  std::vector<Tensor> slots;
  std::vector<Tensor> moving;  // as Plan::moving_
  std::vector<Tensor> run_values;
  std::vector<Tensor> guarded_results;  // by result; where memory is guarded
  GuardedResults guarded;
};

std::shared_ptr<const ops::Bound> LateBinder::bind(const ops::Prepared& prepared, const ops::BindContext& context) {
  const auto fits = [&](const Entry& entry) {
    return std::ranges::equal(entry.inputs, context.inputs, [](const auto& known, const ops::ValueFacts& f) {
      return known.first == f.dtype && known.second == f.shape;
    });
  };
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(entries_, fits);
    if (found != entries_.end()) return found->bound;
  }
  Entry fresh{{}, prepared.bind(context)};
  core::check_interrupt();  // what is kept is whole
  for (const ops::ValueFacts& f : context.inputs) fresh.inputs.emplace_back(f.dtype, f.shape);
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
  if (!frame->ready || frame->base != workspace.arena.data()) prepare(*frame, workspace.arena.data());
  return *frame;
}

void Plan::prepare(Frame& frame, std::byte* base) const {
  std::vector<Tensor> handles(values_.size());
  for (size_t i = 0; i < values_.size(); ++i) {
    const PlanValue& value = values_[i];
    if (value.place == Place::kConstant) handles[i] = value.constant;
    if (value.place != Place::kArena) continue;
    handles[i] = Tensor::from_blob(base + values_[static_cast<size_t>(value.root)].offset + value.view_offset, value.shape, value.dtype);
  }
  frame.moving.clear();
  for (const Moving& moving : moving_) {
    const PlanValue& value = values_[static_cast<size_t>(moving.value)];
    // Any address serves until the run moves the handle.
    frame.moving.push_back(moving.is_input ? Tensor::view(nullptr, &frame, value.shape, value.dtype)
                                           : Tensor::from_blob(&frame, value.shape, value.dtype));
    handles[static_cast<size_t>(moving.value)] = frame.moving.back();
  }
  frame.slots.resize(slots_.size());
  for (size_t i = 0; i < slots_.size(); ++i) {
    frame.slots[i] = slots_[i] == kAbsent ? Tensor() : handles[static_cast<size_t>(slots_[i])];
  }
  frame.run_values.resize(run_values_);
  frame.base = base;
  frame.ready = true;
}

void Plan::start(Frame& frame, std::span<const Tensor* const> inputs, std::span<Tensor> results) const {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (input_run_values_[i] >= 0) frame.run_values[static_cast<size_t>(input_run_values_[i])] = *inputs[i];
  }
  frame.guarded = GuardedResults();
  frame.guarded_results.assign(guard_ ? results.size() : 0, Tensor());
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results_[i].is_place) continue;
    const PlanValue& value = result_value(i);
    if (guard_) frame.guarded_results[i] = frame.guarded.make(value.shape, value.dtype);
    if (!guard_ && !results[i].defined()) results[i] = Tensor::empty(value.shape, value.dtype);
  }
  for (size_t i = 0; i < moving_.size(); ++i) {
    const Moving& moving = moving_[i];
    const Tensor& source = moving.is_input ? *inputs[moving.source]
                           : guard_        ? frame.guarded_results[moving.source]
                                           : results[moving.source];
    frame.moving[i].rebind(static_cast<const std::byte*>(source.raw()) + values_[static_cast<size_t>(moving.value)].view_offset);
  }
}

std::vector<Tensor> Plan::run(std::span<const Tensor* const> inputs, Workspace& workspace, const RunSetting& setting) const {
  std::vector<Tensor> results(results_.size());
  run(inputs, results, workspace, setting);
  return results;
}

void Plan::run(std::span<const Tensor* const> inputs, std::span<Tensor> results, Workspace& workspace, const RunSetting& setting) const {
  Frame& frame = this->frame(workspace);
  // Lets what the run made go, also when an operator throws; the frame is then made anew.
  struct Clear {
    Frame& frame;
    ~Clear() {
      for (Tensor& tensor : frame.run_values) tensor = Tensor();
    }
  } clear{frame};
  frame.ready = false;
  start(frame, inputs, results);
  std::optional<Clock> clock;
  if (setting.seconds) clock.emplace();
  if (setting.interrupt) setting.interrupt->check();
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (!steps_[i].aliased) run_interruptible(i, frame, setting);
    if (clock) setting.seconds[i] = clock->seconds_since_last();
  }
  finish(frame, inputs, results, setting.lend_inputs);
  frame.ready = true;
}

// Interrupted kernels return early. What they leave, and what an operator makes of it, an error included, nobody sees.
void Plan::run_interruptible(size_t step, Frame& frame, const RunSetting& setting) const {
  try {
    with_trail([&] { return node_of(steps_[step]).where(); }, [&] { run_guarded(step, frame, setting); });
  } catch (const std::exception&) {
    if (setting.interrupt) setting.interrupt->check();
    throw;
  }
  if (setting.interrupt) setting.interrupt->check();
}

void Plan::run_guarded(size_t step, Frame& frame, const RunSetting& setting) const {
  if (guard_) guard_->before_step(frame.base, static_cast<int32_t>(step));
  run_step(steps_[step], frame, setting);
  if (guard_) guard_->after_step(frame.base, static_cast<int32_t>(step));
}

void Plan::run_step(const PlanStep& step, Frame& frame, const RunSetting& setting) const {
  const ProgramNode& node = node_of(step);
  const std::span<Tensor> inputs(frame.slots.data() + step.first_input, node.inputs.size());
  const std::span<Tensor> outputs(frame.slots.data() + step.first_output, node.outputs.size());
  std::byte* scratch = frame.base + step.scratch_offset;
  const auto run_bound = [&] {
    const ops::RunContext context{inputs, outputs, scratch, setting.pool, setting.interrupt};
    if (step.chain && setting.chain_seconds) return step.chain->run(context, setting.chain_seconds + step.first_part);
    step.bound->run(context);
  };
  if (!step.has_run_values && !setting.observer) return run_bound();
  const auto run_value = [&](size_t slot) {
    const ValueId id = slots_[slot];
    return id == kAbsent ? -1 : values_[static_cast<size_t>(id)].run_value;
  };
  const size_t end = step.first_output + outputs.size();
  for (size_t slot = step.first_input; slot < end; ++slot) {
    if (const int32_t v = run_value(slot); v >= 0) frame.slots[slot] = frame.run_values[static_cast<size_t>(v)];
  }
  if (step.late) {
    run_late(step, inputs, outputs, setting);
  } else {
    if (!step.bound->dynamic) allocate_missing(*step.bound, node, outputs);
    run_bound();
    if (step.bound->dynamic) own_results(node, *step.bound, inputs, outputs);
  }
  if (setting.observer) show(step, outputs, *setting.observer);
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
  const std::shared_ptr<const ops::Bound> bound =
      step.late->bind(*node.prepared, {facts, setting.pool.threads(), {&setting.pool, program_.weight_cache()}, program_.winograd()});
  if (!bound->dynamic) allocate_missing(*bound, node, outputs);
  const core::MemoryCharge charge(bound->scratch_bytes);
  core::Arena scratch(bound->scratch_bytes);
  bound->run({inputs, outputs, scratch.data(), setting.pool, setting.interrupt});
  own_results(node, *bound, inputs, outputs);
}

// The tensor that a result which no step writes is made from.
Tensor Plan::result_source(const Result& result, const Frame& frame, std::span<const Tensor* const> inputs,
                           std::span<Tensor> results) const {
  const PlanValue& value = values_[static_cast<size_t>(result.value)];
  if (value.run_value >= 0) return frame.run_values[static_cast<size_t>(value.run_value)];
  if (value.place == Place::kConstant) return value.constant;
  if (value.place == Place::kOutput) {
    const auto place = std::ranges::find_if(results_, [&](const Result& r) { return r.is_place && r.value == result.value; });
    const auto index = static_cast<size_t>(place - results_.begin());
    return guard_ ? frame.guarded_results[index] : results[index];
  }
  const Tensor& input = *inputs[static_cast<size_t>(program_.values()[static_cast<size_t>(value.root)].input)];
  if (value.view_offset == 0 && value.shape == input.shape()) return input;
  if (value.view_offset == 0 && element_count(value.shape) == input.numel()) return input.reshape(value.shape);
  return Tensor::view(nullptr, static_cast<const std::byte*>(input.raw()) + value.view_offset, value.shape, value.dtype).clone();
}

void Plan::finish(Frame& frame, std::span<const Tensor* const> inputs, std::span<Tensor> results, bool lend_inputs) const {
  for (size_t i = 0; i < results.size(); ++i) {
    const Result& result = results_[i];
    if (result.is_place && !guard_) continue;
    const Tensor source = result_source(result, frame, inputs, results);
    if (results[i].defined()) {
      with_trail([&] { return "output '" + program_.outputs()[key_.outputs[i]].name + "'"; },
                 [&] {
                   if (!source.defined()) throw Error(ErrorCode::kInvalidArgument, "it is empty in this run, which no tensor can hold");
                   results[i].copy_from(source);
                 });
      continue;
    }
    const bool lent = lend_inputs && result.is_input;
    const bool shared = (result.is_shared && !lent) || guard_ ||
                        (values_[static_cast<size_t>(result.value)].place == Place::kHeap && is_one_of(source, results));
    results[i] = shared && source.defined() ? source.clone() : source;
  }
  frame.guarded.check();
}

const ProgramNode& Plan::node_of(const PlanStep& step) const { return step.chain ? step.chain->node() : program_.nodes()[step.node]; }

}  // namespace sardonyx::runtime
