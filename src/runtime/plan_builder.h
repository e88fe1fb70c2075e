// Compiles a plan: binds, evaluates what is known, decides who shares memory with whom, and places it.
#pragma once

#include <vector>

#include "core/arena.h"
#include "runtime/chain.h"
#include "runtime/plan.h"

namespace sardonyx::runtime {

class PlanBuilder {
 public:
  PlanBuilder(Plan& plan, core::ThreadPool& pool);
  // Throws Cancelled where the run on this thread is to end.
  void build();

 private:
  friend class ChainFinder;

  void seed_values();
  std::vector<bool> nodes_needed() const;
  void bind(size_t node);
  std::unique_ptr<ops::Bound> bind_known(const ProgramNode& node) const;
  bool adopt_known_outputs(const ProgramNode& node, const ops::Bound& bound);
  bool evaluate(const ProgramNode& node, const ops::Bound& bound);
  void set_constant(ValueId id, const Tensor& tensor);
  void drop_unneeded_steps();
  void make_chains();
  PlanStep chain_step(FoundChain found, std::span<PlanStep> steps);
  void assign_memory();
  std::vector<core::Lifetime> lifetimes(std::vector<size_t*>* offsets);
  void assign_step(PlanStep& step, int32_t index);
  void own_memory(ValueId id, int32_t index, bool on_heap);
  bool try_alias(ValueId input, ValueId output, size_t offset);
  bool try_views(const PlanStep& step);
  bool try_in_place(const PlanStep& step, ValueId input, ValueId output);
  void join(ValueId output, ValueId input, size_t offset);
  // plan_parts.cc: values that are made where a Concat would copy them to.
  void destine_parts();
  bool may_be_part(ValueId id) const;
  bool are_parts_in_order(const PlanStep& step) const;
  void place_part(ValueId id, int32_t index);
  bool join_parts(PlanStep& step, int32_t index);
  void assign_memory_with_parts();
  void place_in_arena();
  void note_inner_memory();
  void note_pieces();
  void guard_places();
  bool is_movable(ValueId id) const;
  void plan_handles();
  void note_last_uses();
  void lay_out_slots();
  void plan_results();

  const ProgramNode& program_node(const PlanStep& step) const { return plan_.node_of(step); }
  PlanValue& value(ValueId id) { return plan_.values_[static_cast<size_t>(id)]; }
  const PlanValue& value(ValueId id) const { return plan_.values_[static_cast<size_t>(id)]; }
  size_t bytes(ValueId id) const { return storage_bytes(value(id).dtype, element_count(value(id).shape)); }

  struct Use {
    int32_t reads = 0;  // by steps that are not assigned yet; of a root: also those of the values that share its memory
    int32_t first = 0;  // step that makes it
    int32_t last = 0;   // last step that touches it
    bool requested = false;
  };
  Use& use(ValueId id) { return uses_[static_cast<size_t>(id)]; }

  Plan& plan_;
  core::ThreadPool& pool_;
  std::vector<Use> uses_;         // by ValueId
  std::vector<ValueId> primary_;  // by root in a result's memory: the requested value
  std::vector<ValueId> part_of_;  // by ValueId: the value in whose memory it is made, or kAbsent
  std::vector<size_t> part_offset_;
  std::vector<bool> is_joined_;   // by step: a Concat whose inputs all lie in their places
  std::vector<int32_t> made_by_;  // by ValueId: the step
};

}  // namespace sardonyx::runtime
