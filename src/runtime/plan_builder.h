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
  PlanStep chain_step(ChainGraph graph, ChainSchedule schedule, std::span<PlanStep> members);
  void assign_memory();
  void assign_step(PlanStep& step, int32_t index);
  void own_memory(ValueId id, int32_t index, bool on_heap);
  bool try_alias(const PlanStep& step, ValueId input, ValueId output);
  bool try_in_place(const PlanStep& step, ValueId input, ValueId output);
  void join(ValueId output, ValueId root);
  void place_in_arena();
  void guard_places();
  void number_run_values();
  void number_group_member(ValueId id);
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
};

}  // namespace sardonyx::runtime
