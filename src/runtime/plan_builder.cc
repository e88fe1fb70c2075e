#include "runtime/plan_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "ops/control/bodies.h"
#include "ops/stages.h"
#include "optimize/evaluate.h"

namespace sardonyx::runtime {
namespace {

// A value is computed while the plan is made only if it stays below this: it is kept with the plan.
constexpr size_t kMaxEvaluatedBytes = size_t{256} << 10;

}  // namespace

PlanBuilder::PlanBuilder(Plan& plan, core::ThreadPool& pool)
    : plan_(plan), pool_(pool), uses_(plan.program_.values().size()), primary_(plan.program_.values().size(), kAbsent) {}

void PlanBuilder::build() {
  seed_values();
  const std::vector<bool> needed = nodes_needed();
  for (size_t node = 0; node < needed.size(); ++node) {
    if (needed[node]) bind(node);
    core::check_interrupt();  // what was bound, computed or packed while the run was to end is not whole
  }
  drop_unneeded_steps();
  make_chains();
  core::check_interrupt();
  destine_parts();
  assign_memory_with_parts();
  place_in_arena();
  core::check_interrupt();
  note_inner_memory();
  plan_results();
  plan_handles();
  note_last_uses();
  lay_out_slots();
}

void PlanBuilder::seed_values() {
  const std::vector<ProgramValue>& declared = plan_.program_.values();
  plan_.values_.resize(declared.size());
  for (size_t i = 0; i < declared.size(); ++i) {
    PlanValue& v = plan_.values_[i];
    v.root = static_cast<ValueId>(i);
    if (declared[i].is_constant) {
      v = {declared[i].dtype, declared[i].shape, true, declared[i].constant, Place::kConstant, v.root};
    } else if (declared[i].input >= 0) {
      const auto input = static_cast<size_t>(declared[i].input);
      const Input& taken = plan_.program_.signature().inputs()[input];
      const DType dtype = plan_.key_.dtypes.empty() ? taken.dtype : plan_.key_.dtypes[input];
      const bool is_plain = plan_.key_.dtypes.empty() ? !taken.is_structure : dtype != DType::kUndefined && dtype != DType::kTensor;
      v = {dtype, plan_.key_.shapes[input], is_plain, {}, Place::kInput, v.root};
    }
  }
  for (const size_t output : plan_.key_.outputs) use(plan_.program_.output_values()[output]).requested = true;
}

std::vector<bool> PlanBuilder::nodes_needed() const {
  const std::vector<ProgramNode>& nodes = plan_.program_.nodes();
  std::vector<bool> nodes_needed(nodes.size(), false), values_needed(uses_.size(), false);
  for (size_t i = 0; i < uses_.size(); ++i) values_needed[i] = uses_[i].requested;
  for (size_t i = nodes.size(); i-- > 0;) {
    const auto is_needed = [&](ValueId id) { return id != kAbsent && values_needed[static_cast<size_t>(id)]; };
    nodes_needed[i] = std::ranges::any_of(nodes[i].outputs, is_needed);
    if (!nodes_needed[i]) continue;
    for (const ValueId id : nodes[i].inputs) {
      if (id != kAbsent) values_needed[static_cast<size_t>(id)] = true;
    }
  }
  return nodes_needed;
}

// Null if the shape of an input depends on data.
std::unique_ptr<ops::Bound> PlanBuilder::bind_known(const ProgramNode& node) const {
  std::vector<ops::ValueFacts> facts;
  for (const ValueId id : node.inputs) {
    if (id == kAbsent) {
      facts.emplace_back();
      continue;
    }
    const PlanValue& v = value(id);
    if (!v.shape_known) return nullptr;
    facts.push_back({v.dtype, v.shape, v.constant.defined() ? &v.constant : nullptr});
  }
  return node.prepared->bind({facts, pool_.threads(), {&pool_, plan_.program_.weight_cache()}, plan_.program_.winograd()});
}

void PlanBuilder::bind(size_t index) {
  const ProgramNode& node = plan_.program_.nodes()[index];
  PlanStep step{.node = index, .bound = nullptr, .late = nullptr, .last_uses = {}};
  const bool done = with_trail([&] { return node.where(); },
                               [&] {
                                 step.bound = bind_known(node);
                                 return step.bound && evaluate(node, *step.bound);
                               });
  if (done) {
    ++plan_.evaluated_;
    return;
  }
  if (!step.bound) step.late = std::make_unique<LateBinder>();
  const bool dynamic = !step.bound || step.bound->dynamic;
  for (size_t i = 0; step.bound && i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kAbsent) continue;
    if (i >= step.bound->outputs.size() || (!dynamic && !step.bound->outputs[i].present())) {
      throw Error(ErrorCode::kUnsupported, fmt::format("{}: its output {} is not computed here", node.where(), i));
    }
    PlanValue& v = value(node.outputs[i]);
    v.dtype = step.bound->outputs[i].dtype;
    v.shape_known = !dynamic;
    if (!dynamic) v.shape = step.bound->outputs[i].shape;
  }
  plan_.steps_.push_back(std::move(step));
}

void PlanBuilder::set_constant(ValueId id, const Tensor& tensor) {
  if (id == kAbsent) return;
  value(id) = {tensor.dtype(), tensor.shape(), true, tensor, Place::kConstant, id};
}

// Takes over what binding found out already (Shape).
bool PlanBuilder::adopt_known_outputs(const ProgramNode& node, const ops::Bound& bound) {
  const auto is_open = [](const ops::ValueFacts& output) { return output.present() && !output.constant; };
  if (bound.dynamic || bound.outputs.empty() || std::ranges::any_of(bound.outputs, is_open)) return false;
  for (size_t i = 0; i < node.outputs.size() && i < bound.outputs.size(); ++i) {
    if (bound.outputs[i].constant) set_constant(node.outputs[i], *bound.outputs[i].constant);
  }
  return true;
}

// Computes the node now if all it reads is known; false if it is left to the runs.
bool PlanBuilder::evaluate(const ProgramNode& node, const ops::Bound& bound) {
  if (!node.deterministic) return false;
  if (adopt_known_outputs(node, bound)) return true;
  std::vector<Tensor> inputs;
  size_t input_bytes = 0;
  for (const ValueId id : node.inputs) {
    if (id != kAbsent && !value(id).constant.defined()) return false;
    inputs.push_back(id == kAbsent ? Tensor() : value(id).constant);
    if (id != kAbsent) input_bytes += bytes(id);
  }
  const bool free_of_cost = bound.alias_input >= 0;
  if (!free_of_cost && (bound.dynamic ? input_bytes : optimize::output_bytes(bound)) > kMaxEvaluatedBytes) return false;
  const std::vector<Tensor> results = ops::run_step(bound, inputs, pool_);
  for (size_t i = 0; i < node.outputs.size() && i < results.size(); ++i) {
    if (results[i].defined()) set_constant(node.outputs[i], results[i]);
  }
  return true;
}

// Steps whose results were only needed by what has been evaluated since.
void PlanBuilder::drop_unneeded_steps() {
  std::vector<bool> needed(uses_.size(), false);
  for (size_t i = 0; i < uses_.size(); ++i) needed[i] = uses_[i].requested;
  std::vector<PlanStep> kept;
  for (size_t i = plan_.steps_.size(); i-- > 0;) {
    const ProgramNode& node = program_node(plan_.steps_[i]);
    if (std::ranges::none_of(node.outputs, [&](ValueId id) { return id != kAbsent && needed[static_cast<size_t>(id)]; })) continue;
    for (const ValueId id : node.inputs) {
      if (id == kAbsent) continue;
      needed[static_cast<size_t>(id)] = true;
      ++use(id).reads;
    }
    kept.push_back(std::move(plan_.steps_[i]));
  }
  std::ranges::reverse(kept);
  plan_.steps_ = std::move(kept);
}

void PlanBuilder::assign_memory() {
  for (size_t i = 0; i < plan_.steps_.size(); ++i) assign_step(plan_.steps_[i], static_cast<int32_t>(i));
  for (PlanValue& v : plan_.values_) {
    if (v.root != kAbsent) v.place = value(v.root).place;
  }
}

void PlanBuilder::assign_step(PlanStep& step, int32_t index) {
  const ProgramNode& node = program_node(step);
  for (const ValueId id : node.inputs) {
    if (id == kAbsent) continue;
    Use& root = use(value(id).root);
    --root.reads;
    root.last = index;
  }
  if (join_parts(step, index)) return;
  const bool on_heap = !step.bound || step.bound->dynamic;
  if (!on_heap && try_views(step)) {
    step.aliased = true;
    return;
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId output = node.outputs[i];
    if (output == kAbsent) continue;
    if (part_of_[static_cast<size_t>(output)] != kAbsent) {
      place_part(output, index);
      continue;
    }
    if (i == 0 && !on_heap && value(output).dtype != DType::kString) {
      const auto input_at = [&](int position) {
        const auto p = static_cast<size_t>(position);
        return position >= 0 && p < node.inputs.size() ? node.inputs[p] : kAbsent;
      };
      step.aliased = try_alias(input_at(step.bound->alias_input), output, 0);
      step.in_place = !step.aliased && try_in_place(step, input_at(step.bound->in_place_input), output);
      if (step.aliased || step.in_place) continue;
    }
    own_memory(output, index, on_heap || value(output).dtype == DType::kString);
  }
}

void PlanBuilder::own_memory(ValueId id, int32_t index, bool on_heap) {
  value(id).place = on_heap ? Place::kHeap : use(id).requested ? Place::kOutput : Place::kArena;
  if (value(id).place == Place::kOutput) primary_[static_cast<size_t>(id)] = id;
  use(id).first = use(id).last = index;
}

bool PlanBuilder::try_alias(ValueId input, ValueId output, size_t offset) {
  if (input == kAbsent) return false;
  const ValueId root = value(input).root;
  const Place place = value(root).place;
  if (place == Place::kConstant || place == Place::kHeap) return false;
  // A result is all of its memory, and shares it with nothing.
  if (use(output).requested && (place != Place::kArena || bytes(root) != bytes(output))) return false;
  join(output, input, offset);
  return true;
}

// Whether all outputs may be parts of inputs; they are then.
bool PlanBuilder::try_views(const PlanStep& step) {
  const std::vector<ops::OutputView>& views = step.bound->output_views;
  const ProgramNode& node = program_node(step);
  if (views.size() < node.outputs.size()) return false;
  for (size_t i = 0; i < views.size(); ++i) {
    if (i >= node.outputs.size() || node.outputs[i] == kAbsent) continue;
    const ValueId output = node.outputs[i], input = node.inputs[static_cast<size_t>(views[i].input)];
    const Place place = value(value(input).root).place;
    if (!is_movable(output) || place == Place::kConstant || place == Place::kHeap) return false;
    if (use(output).requested || part_of_[static_cast<size_t>(output)] != kAbsent) return false;
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kAbsent) join(node.outputs[i], node.inputs[static_cast<size_t>(views[i].input)], views[i].offset);
  }
  return true;
}

bool PlanBuilder::try_in_place(const PlanStep& step, ValueId input, ValueId output) {
  if (input == kAbsent) return false;
  const ValueId root = value(input).root;
  if (value(root).place != Place::kArena || use(root).reads != 0) return false;
  if (value(input).dtype != value(output).dtype || bytes(root) != bytes(output)) return false;
  const auto shares = [&](ValueId id) { return id != kAbsent && value(id).root == root; };
  if (std::ranges::count_if(program_node(step).inputs, shares) != 1) return false;
  join(output, input, 0);
  return true;
}

// Lets `output` lie in the memory of `input`, from that byte of it on.
void PlanBuilder::join(ValueId output, ValueId input, size_t offset) {
  const ValueId root = value(input).root;
  value(output).root = root;
  value(output).view_offset = value(input).view_offset + offset;
  use(root).reads += use(output).reads;
  if (!use(output).requested) return;
  value(root).place = Place::kOutput;
  primary_[static_cast<size_t>(root)] = output;
}

// What lies in the arena and when; `offsets`, if given, gets where each one's offset is kept.
std::vector<core::Lifetime> PlanBuilder::lifetimes(std::vector<size_t*>* offsets) {
  std::vector<core::Lifetime> result;
  const bool guarded = plan_.program_.guards_memory();
  const auto add = [&](size_t size, int32_t first, int32_t last, size_t& offset) {
    result.push_back({guarded ? MemoryGuard::with_zone(size) : size, first, last});
    if (offsets) offsets->push_back(&offset);
  };
  for (size_t i = 0; i < uses_.size(); ++i) {
    PlanValue& v = plan_.values_[i];
    if (v.place == Place::kArena && v.root == static_cast<ValueId>(i)) add(bytes(v.root), uses_[i].first, uses_[i].last, v.offset);
  }
  for (size_t i = 0; i < plan_.steps_.size(); ++i) {
    PlanStep& step = plan_.steps_[i];
    if (!step.bound || step.aliased || step.bound->scratch_bytes == 0) continue;
    add(step.bound->scratch_bytes, static_cast<int32_t>(i), static_cast<int32_t>(i), step.scratch_offset);
  }
  return result;
}

void PlanBuilder::place_in_arena() {
  std::vector<size_t*> offsets;
  const core::Placement placement = core::place(lifetimes(&offsets));
  for (size_t i = 0; i < offsets.size(); ++i) *offsets[i] = placement.offsets[i];
  plan_.peak_ = placement.peak;
  plan_.lower_bound_ = placement.lower_bound;
  note_pieces();
  if (plan_.program_.guards_memory()) guard_places();
}

void PlanBuilder::note_inner_memory() {
  for (const PlanStep& step : plan_.steps_) {
    const auto* control = dynamic_cast<const ops::ControlBound*>(step.bound.get());
    if (control) plan_.inner_bytes_ = std::max(plan_.inner_bytes_, control->inner_bytes);
  }
}

void PlanBuilder::note_pieces() {
  for (size_t i = 0; i < uses_.size(); ++i) {
    const PlanValue& v = plan_.values_[i];
    if (v.place != Place::kArena || v.root != static_cast<ValueId>(i)) continue;
    plan_.pieces_.push_back({v.root, bytes(v.root), v.offset, uses_[i].first, uses_[i].last});
  }
  for (size_t i = 0; i < plan_.steps_.size(); ++i) {
    const PlanStep& step = plan_.steps_[i];
    if (!step.bound || step.aliased || step.bound->scratch_bytes == 0) continue;
    const auto index = static_cast<int32_t>(i);
    plan_.pieces_.push_back({kAbsent, step.bound->scratch_bytes, step.scratch_offset, index, index});
  }
}

void PlanBuilder::guard_places() {
  plan_.guard_ = std::make_unique<MemoryGuard>();
  for (const Piece& piece : plan_.pieces_) {
    const std::string what =
        piece.value == kAbsent ? "scratch" : fmt::format("value '{}'", plan_.program_.values()[static_cast<size_t>(piece.value)].name);
    plan_.guard_->add(piece.offset, piece.bytes, piece.first, piece.last, what);
  }
}

// Whether a handle to the value can be made before a run knows the value.
bool PlanBuilder::is_movable(ValueId id) const {
  const PlanValue& v = value(id);
  return v.shape_known && v.dtype != DType::kUndefined && v.dtype != DType::kString && v.dtype != DType::kTensor;
}

void PlanBuilder::plan_handles() {
  plan_.input_run_values_.assign(plan_.key_.shapes.size(), -1);
  for (size_t i = 0; i < uses_.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    PlanValue& v = plan_.values_[i];
    const bool is_input = v.place == Place::kInput;
    if (v.place == Place::kHeap || (is_input && !is_movable(id))) {
      v.run_value = static_cast<int32_t>(plan_.run_values_++);
      if (is_input) plan_.input_run_values_[static_cast<size_t>(plan_.program_.values()[i].input)] = v.run_value;
    } else if (is_input) {
      plan_.moving_.push_back({id, true, static_cast<size_t>(plan_.program_.values()[static_cast<size_t>(v.root)].input)});
    } else if (v.place == Place::kOutput) {
      const ValueId primary = primary_[static_cast<size_t>(v.root)];
      const auto result = std::ranges::find(plan_.results_, primary, &Result::value);
      plan_.moving_.push_back({id, false, static_cast<size_t>(result - plan_.results_.begin())});
    }
  }
}

void PlanBuilder::note_last_uses() {
  for (size_t i = 0; i < uses_.size(); ++i) {
    const PlanValue& v = plan_.values_[i];
    if (v.place != Place::kHeap || uses_[i].requested) continue;
    plan_.steps_[static_cast<size_t>(uses_[i].last)].last_uses.push_back(v.run_value);
  }
}

void PlanBuilder::lay_out_slots() {
  for (PlanStep& step : plan_.steps_) {
    if (step.aliased) continue;
    const ProgramNode& node = program_node(step);
    step.first_input = plan_.slots_.size();
    plan_.slots_.insert(plan_.slots_.end(), node.inputs.begin(), node.inputs.end());
    step.first_output = plan_.slots_.size();
    plan_.slots_.insert(plan_.slots_.end(), node.outputs.begin(), node.outputs.end());
    const auto is_made_anew = [&](ValueId id) { return id != kAbsent && value(id).run_value >= 0; };
    step.has_run_values = step.late || std::ranges::any_of(node.inputs, is_made_anew) || std::ranges::any_of(node.outputs, is_made_anew);
  }
}

void PlanBuilder::plan_results() {
  std::vector<bool> taken(uses_.size(), false);
  for (const size_t output : plan_.key_.outputs) {
    const ValueId id = plan_.program_.output_values()[output];
    const Place place = value(id).place;
    const bool first = !taken[static_cast<size_t>(id)];
    const bool borrowed = place == Place::kConstant || place == Place::kInput;
    plan_.results_.push_back({id, place == Place::kOutput && first, borrowed || !first, place == Place::kInput});
    if (place == Place::kOutput && first) plan_.output_bytes_ += bytes(id);
    taken[static_cast<size_t>(id)] = true;
  }
}

}  // namespace sardonyx::runtime
