// A program with its plans: what stands behind the public InferenceSession.
#pragma once

#include <memory>
#include <memory_resource>
#include <vector>

#include "core/parallel.h"
#include "runtime/binding.h"
#include "runtime/plan.h"
#include "runtime/plan_cache.h"
#include "runtime/profile.h"
#include "runtime/program.h"
#include "runtime/session_log.h"
#include "runtime/workspace.h"
#include "sardonyx/session.h"

namespace sardonyx::runtime {

class Session {
 public:
  // `backend` must outlive the session.
  Session(model::Model model, const Backend& backend, SessionOptions options);

  const Program& program() const noexcept { return program_; }
  int threads() const noexcept { return pool_->threads(); }
  size_t plan_count() const { return plans_.size(); }

  std::vector<Tensor> run(const std::vector<std::string>& output_names, const Feeds& feeds, const RunOptions& run_options = {});
  // With what is bound; allocates nothing in a steady state.
  void run(Binding& binding, const RunOptions& run_options = {});
  PlanReport explain(const InputShapes& shapes);
  PlanReport profile(const Feeds& feeds);
  std::vector<Tensor> observe(const Feeds& feeds, const ValueObserver& observer);
  // What was done before the program was made, and the end of loading.
  void finish_loading(std::vector<LoadPhase> before);
  const std::vector<LoadPhase>& load_phases() const noexcept { return load_phases_; }
  std::filesystem::path end_profiling();
  void trim() { workspaces_->trim(); }
  // Before the first run: for tests.
  void set_chain_policy(const ChainPolicy& policy) noexcept { program_.set_chain_policy(policy); }

 private:
  // The indexes of the named outputs, ascending and without duplicates.
  void resolve_outputs(const std::vector<std::string>& names, std::pmr::vector<size_t>& indexes) const;
  // `shape_of(i)` is the shape of input i. The plan may need more memory than the options allow: see check_memory.
  template <class ShapeOf>
  std::shared_ptr<const Plan> plan_for(const ShapeOf& shape_of, std::span<const size_t> outputs);
  void check_memory(const Plan& plan) const;
  std::shared_ptr<const Plan> plan_of_feeds(std::span<const Tensor* const> inputs, std::span<const size_t> outputs);
  void plan_binding(Binding& binding);
  std::vector<Tensor> run_feeds(const std::vector<std::string>& output_names, const Feeds& feeds, const RunOptions& run_options);
  void run_bound(Binding& binding, const RunOptions& run_options);
  // As the options of the run have it: stopped when asked, and written down in the profile.
  void run_plan(const std::shared_ptr<const Plan>& plan, std::span<const Tensor* const> inputs, std::span<Tensor> results,
                const RunOptions& run_options);
  void run_plan(const Plan& plan, std::span<const Tensor* const> inputs, std::span<Tensor> results, const RunSetting& setting);

  SessionOptions options_;
  SessionLog log_;
  std::shared_ptr<core::ThreadPool> pool_;
  std::shared_ptr<WorkspacePool> workspaces_;  // of the graphs inside nodes, too
  Program program_;
  PlanCache plans_;
  std::vector<LoadPhase> load_phases_;
  std::unique_ptr<Profile> profile_;  // null: nothing is recorded
};

}  // namespace sardonyx::runtime
