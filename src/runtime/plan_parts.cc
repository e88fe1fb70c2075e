// Concat without copies: where all inputs of a Concat by an outer axis are made by steps of the plan, each is made at its place in the
// result. Of several Concats of the same values (DenseNet's), the longest holds them, and the others are views of its beginning.
#include <algorithm>

#include "runtime/plan_builder.h"

namespace sardonyx::runtime {
namespace {

// Peak memory that keeping copies out may cost.
constexpr double kMaxGrowth = 1.05;

}  // namespace

bool PlanBuilder::may_be_part(ValueId id) const {
  if (id == kAbsent || made_by_[static_cast<size_t>(id)] < 0 || part_of_[static_cast<size_t>(id)] != kAbsent) return false;
  if (uses_[static_cast<size_t>(id)].requested || !is_movable(id) || bytes(id) == 0) return false;
  const PlanStep& step = plan_.steps_[static_cast<size_t>(made_by_[static_cast<size_t>(id)])];
  if (!step.bound || step.bound->dynamic) return false;
  return step.bound->alias_input < 0 && step.bound->views.empty();
}

// Whether the inputs lie one after the other in the memory of one value already.
bool PlanBuilder::are_parts_in_order(const PlanStep& step) const {
  const std::vector<ValueId>& inputs = program_node(step).inputs;
  const auto of = [&](size_t i) { return inputs[i] == kAbsent ? kAbsent : part_of_[static_cast<size_t>(inputs[i])]; };
  if (of(0) == kAbsent) return false;
  const size_t begin = part_offset_[static_cast<size_t>(inputs[0])];
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (of(i) != of(0) || part_offset_[static_cast<size_t>(inputs[i])] != begin + step.bound->part_offsets[i]) return false;
  }
  return true;
}

void PlanBuilder::destine_parts() {
  part_of_.assign(uses_.size(), kAbsent);
  part_offset_.assign(uses_.size(), 0);
  is_joined_.assign(plan_.steps_.size(), false);
  made_by_.assign(uses_.size(), -1);
  for (size_t i = 0; i < plan_.steps_.size(); ++i) {
    for (const ValueId id : program_node(plan_.steps_[i]).outputs) {
      if (id != kAbsent) made_by_[static_cast<size_t>(id)] = static_cast<int32_t>(i);
    }
  }
  for (size_t i = plan_.steps_.size(); i-- > 0;) {
    const PlanStep& step = plan_.steps_[i];
    if (!step.bound || step.bound->part_offsets.empty()) continue;
    const ProgramNode& node = program_node(step);
    const ValueId out = node.outputs[0];
    if (!is_movable(out)) continue;
    if (are_parts_in_order(step)) {
      is_joined_[i] = !use(out).requested && part_of_[static_cast<size_t>(out)] == kAbsent;
      continue;
    }
    const auto is_repeated = [&](ValueId id) { return std::ranges::count(node.inputs, id) > 1; };
    if (!std::ranges::all_of(node.inputs, [&](ValueId id) { return may_be_part(id) && !is_repeated(id); })) continue;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      part_of_[static_cast<size_t>(node.inputs[k])] = out;
      part_offset_[static_cast<size_t>(node.inputs[k])] = step.bound->part_offsets[k];
    }
    is_joined_[i] = true;
  }
}

void PlanBuilder::place_part(ValueId id, int32_t index) {
  ValueId whole = id;
  size_t offset = 0;
  while (part_of_[static_cast<size_t>(whole)] != kAbsent) {
    offset += part_offset_[static_cast<size_t>(whole)];
    whole = part_of_[static_cast<size_t>(whole)];
  }
  if (value(whole).place == Place::kNowhere) own_memory(whole, index, false);
  value(id).root = whole;
  value(id).view_offset = offset;
  use(whole).reads += use(id).reads;
  use(whole).last = index;
}

// A Concat whose inputs lie in their places: nothing is left to do.
bool PlanBuilder::join_parts(PlanStep& step, int32_t index) {
  if (!is_joined_[static_cast<size_t>(index)]) return false;
  const ProgramNode& node = program_node(step);
  const ValueId out = node.outputs[0];
  step.aliased = true;
  if (part_of_[static_cast<size_t>(out)] != kAbsent) {
    place_part(out, index);
  } else if (part_of_[static_cast<size_t>(node.inputs[0])] != out) {
    join(out, node.inputs[0], 0);
  }
  return true;
}

// With parts in place, unless the arena becomes larger by that: a result that waits for its last part occupies its memory from the first
// on.
void PlanBuilder::assign_memory_with_parts() {
  if (std::ranges::find(is_joined_, true) == is_joined_.end()) return assign_memory();
  const std::vector<Use> uses = uses_;
  const std::vector<ValueId> primary = primary_;
  const std::vector<PlanValue> values = plan_.values_;
  const auto restart = [&] {
    uses_ = uses;
    primary_ = primary;
    plan_.values_ = values;
    for (PlanStep& step : plan_.steps_) step.aliased = step.in_place = false;
  };
  assign_memory();
  const size_t with_parts = core::place(lifetimes(nullptr)).peak;
  const std::vector<ValueId> part_of = part_of_;
  const std::vector<bool> joined = is_joined_;
  restart();
  part_of_.assign(uses_.size(), kAbsent);
  is_joined_.assign(is_joined_.size(), false);
  assign_memory();
  if (static_cast<double>(with_parts) > kMaxGrowth * static_cast<double>(core::place(lifetimes(nullptr)).peak)) return;
  restart();
  part_of_ = part_of;
  is_joined_ = joined;
  assign_memory();
}

}  // namespace sardonyx::runtime
