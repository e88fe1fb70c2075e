// A program with its plans: what stands behind the public InferenceSession.
#pragma once

#include <memory>
#include <memory_resource>
#include <vector>

#include "core/parallel.h"
#include "runtime/plan.h"
#include "runtime/plan_cache.h"
#include "runtime/program.h"
#include "runtime/workspace.h"
#include "sardonyx/session.h"

namespace sardonyx::runtime {

class Session {
 public:
  // `backend` must outlive the session. `map`: see Program.
  Session(model::Model model, const Backend& backend, SessionOptions options, std::shared_ptr<const core::MappedFile> map = nullptr);

  const Program& program() const noexcept { return program_; }
  int threads() const noexcept { return pool_->threads(); }
  size_t plan_count() const { return plans_.size(); }

  std::vector<Tensor> run(const std::vector<std::string>& output_names, const Feeds& feeds, const RunOptions& run_options = {});
  PlanReport explain(const InputShapes& shapes);
  PlanReport profile(const Feeds& feeds);
  void trim() { workspaces_.trim(); }
  // Before the first run: for tests.
  void set_chain_policy(const ChainPolicy& policy) noexcept { program_.set_chain_policy(policy); }

 private:
  // The indexes of the named outputs, ascending and without duplicates.
  void resolve_outputs(const std::vector<std::string>& names, std::pmr::vector<size_t>& indexes) const;
  size_t output_index(std::string_view name) const;
  // `shape_of(i)` is the shape of input i. The plan may need more memory than the options allow: see check_memory.
  template <class ShapeOf>
  std::shared_ptr<const Plan> plan_for(const ShapeOf& shape_of, std::span<const size_t> outputs);
  void check_memory(const Plan& plan) const;
  std::vector<Tensor> run_plan(const Plan& plan, std::span<const Tensor* const> inputs, const RunSetting& setting);

  SessionOptions options_;
  std::shared_ptr<core::ThreadPool> pool_;
  Program program_;
  WorkspacePool workspaces_;
  PlanCache plans_;
};

}  // namespace sardonyx::runtime
