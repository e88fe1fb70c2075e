// How a regressor makes one score for each target of what its trees give.
#pragma once

#include <vector>

#include "ops/ml/post_transform.h"
#include "ops/ml/row_scores.h"
#include "ops/ml/tree_scores.h"

namespace sardonyx::ops {

struct TreeAggregate {
  kernels::TreeFold fold = kernels::TreeFold::kSum;
  double divisor = 1;        // the number of trees for averages
  std::vector<double> base;  // added to each target after that; empty: nothing

  // AVERAGE, SUM, MIN, MAX as 0 to 3. Throws InvalidModel for other numbers.
  static TreeAggregate from_number(int64_t number, size_t trees) {
    if (number < 0 || number > 3) throw model_error("attribute aggregate_function is {}; it must lie in [0, 3]", number);
    TreeAggregate aggregate;
    if (number == 0 && trees > 0) aggregate.divisor = static_cast<double>(trees);
    if (number == 2) aggregate.fold = kernels::TreeFold::kMin;
    if (number == 3) aggregate.fold = kernels::TreeFold::kMax;
    return aggregate;
  }
};

// Output 0 from input 0.
inline void write_tree_scores(const TreeScorer& scorer, size_t targets, const TreeAggregate& aggregate, PostTransform transform,
                              const RunContext& r) {
  scorer.run(r, [&](size_t first, size_t count, const kernels::TreeScores& block) {
    RowScores y(&r.outputs[0], targets);
    for (size_t row = 0; row < count; ++row) {
      double* scores = block.scores + row * targets;
      for (size_t i = 0; i < targets; ++i) scores[i] = scores[i] / aggregate.divisor + (aggregate.base.empty() ? 0.0 : aggregate.base[i]);
      y.write(first + row, transform, scores);
    }
  });
}

}  // namespace sardonyx::ops
