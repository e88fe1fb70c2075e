// A graph inside a node as a program of its own, with its plans and its memory.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ops/control/bodies.h"
#include "runtime/plan_cache.h"
#include "runtime/program.h"
#include "runtime/workspace.h"

namespace sardonyx::runtime {

class ProgramBody final : public ops::MeasuredBody {
 public:
  struct Parts {
    model::Model model;                                     // its graph's inputs: its own, then what it reads from around
    size_t own_inputs = 0;                                  // of the graph
    std::vector<std::pair<std::string, Tensor>> constants;  // what it reads from around and is constant
    std::vector<size_t> captured;                           // positions of the rest among the node's inputs
  };
  ProgramBody(Parts parts, const Backend& backend, const SessionOptions& options, const ProgramShare& share);

  const Program& program() const noexcept { return program_; }
  const model::Graph& signature() const noexcept override { return signature_; }
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ops::RunContext& context) const override;
  size_t bytes(std::span<const ops::ValueFacts> inputs, const ops::BindContext& context) const override;

 private:
  // `dtype_of(i)` and `shape_of(i)` tell of input i, of `count`.
  template <class DTypeOf, class ShapeOf>
  std::shared_ptr<const Plan> plan_for(size_t count, const DTypeOf& dtype_of, const ShapeOf& shape_of, core::ThreadPool& pool) const;

  model::Graph signature_;
  std::vector<size_t> captured_;
  Program program_;
  bool is_limited_;  // by SessionOptions::max_memory
  std::shared_ptr<WorkspacePool> workspaces_;
  mutable PlanCache plans_;
};

}  // namespace sardonyx::runtime
