// A program with its plans: what stands behind the public InferenceSession.
#pragma once

#include <memory>
#include <memory_resource>
#include <vector>

#include "core/parallel.h"
#include "runtime/binding.h"
#include "runtime/plan.h"
#include "runtime/plan_cache.h"
#include "runtime/program.h"
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
  void trim() { workspaces_.trim(); }

 private:
  // The indexes of the named outputs, ascending and without duplicates.
  void resolve_outputs(const std::vector<std::string>& names, std::pmr::vector<size_t>& indexes) const;
  // `shape_of(i)` is the shape of input i. The plan may need more memory than the options allow: see check_memory.
  template <class ShapeOf>
  std::shared_ptr<const Plan> plan_for(const ShapeOf& shape_of, std::span<const size_t> outputs);
  void check_memory(const Plan& plan) const;
  std::shared_ptr<const Plan> plan_of_feeds(std::span<const Tensor* const> inputs, std::span<const size_t> outputs);
  void plan_binding(Binding& binding);
  void run_plan(const Plan& plan, std::span<const Tensor* const> inputs, std::span<Tensor> results, const RunSetting& setting);

  SessionOptions options_;
  std::shared_ptr<core::ThreadPool> pool_;
  Program program_;
  WorkspacePool workspaces_;
  PlanCache plans_;
};

}  // namespace sardonyx::runtime
