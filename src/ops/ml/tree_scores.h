// Scores of rows by a forest, in parallel over blocks of rows, and over groups of trees where the rows are few.
//
// A row's scores are summed group by group either way, so their bits depend neither on the threads nor on the other rows.
#pragma once

#include "core/arena.h"
#include "ops/ml/rows.h"
#include "ops/ml/tree_nodes.h"

namespace sardonyx::ops {

class TreeScorer {
 public:
  TreeScorer(const ForestForms& forms, kernels::TreeFold fold, const ValueFacts& x, const Rows& rows, int threads);

  size_t scratch_bytes() const noexcept { return conversion_ + buffers_ * buffer_bytes(); }

  // Calls finish(first row, rows, scores [rows, targets]) for blocks of rows, in parallel.
  template <class Finish>
  void run(const RunContext& r, const Finish& finish) const {
    if (in_double_) {
      run_as(*in_double_, r, finish);
    } else {
      run_as(*in_float_, r, finish);
    }
  }

 private:
  static constexpr size_t kGroup = 128;  // trees

  size_t blocks() const noexcept { return (rows_.count + block_ - 1) / block_; }
  size_t groups() const noexcept { return std::max<size_t>((shape_->roots.size() + kGroup - 1) / kGroup, 1); }
  size_t block_rows(size_t block) const noexcept { return std::min(block_, rows_.count - block * block_); }
  size_t buffer_bytes() const noexcept { return core::align_up(block_ * shape_->targets * (sizeof(double) + 1)); }

  kernels::TreeScores buffer(std::byte* scratch, size_t index) const noexcept {
    std::byte* at = scratch + conversion_ + index * buffer_bytes();
    return {reinterpret_cast<double*>(at), reinterpret_cast<uint8_t*>(at + block_ * shape_->targets * sizeof(double))};
  }

  template <class T>
  void walk(const Forest<T>& forest, const T* x, size_t block, size_t group, const kernels::TreeScores& to) const noexcept {
    const size_t first = group * kGroup, last = std::min(first + kGroup, shape_->roots.size());
    kernels::walk_trees(forest, fold_, first, last, block_rows(block), x + block * block_ * rows_.features, rows_.features, to);
  }

  template <class T, class Finish>
  void run_as(const Forest<T>& forest, const RunContext& r, const Finish& finish) const {
    const T* x = elements_as<T>(r.inputs[0], r.scratch, r.pool);
    const size_t groups = this->groups();
    if (by_groups_) {
      r.pool.for_each(blocks() * groups, [&](size_t task) { walk(forest, x, task / groups, task % groups, buffer(r.scratch, task)); });
    }
    r.pool.for_each_with_thread(blocks(), [&](size_t block, size_t thread) {
      const kernels::TreeScores total = buffer(r.scratch, by_groups_ ? block * groups : thread * 2);
      if (!by_groups_) walk(forest, x, block, 0, total);
      for (size_t group = 1; group < groups; ++group) {
        const kernels::TreeScores part = buffer(r.scratch, by_groups_ ? block * groups + group : thread * 2 + 1);
        if (!by_groups_) walk(forest, x, block, group, part);
        kernels::join_scores(fold_, block_rows(block) * shape_->targets, part, total);
      }
      finish(block * block_, block_rows(block), total);
    });
  }

  const Forest<float>* in_float_ = nullptr;
  const Forest<double>* in_double_ = nullptr;
  const ForestShape* shape_;
  kernels::TreeFold fold_;
  Rows rows_;
  size_t block_;            // rows that walk together
  size_t conversion_ = 0;   // bytes of converted features
  size_t buffers_ = 0;      // of scores
  bool by_groups_ = false;  // all groups of a block have buffers of their own
};

}  // namespace sardonyx::ops
