// Rows of features times weights, plus intercepts: the scores of ai.onnx.ml's linear models.
#pragma once

#include <vector>

#include "ops/ml/rows.h"

namespace sardonyx::ops {

class LinearScores {
 public:
  // `weights` holds the features' weights of one target after another. Throws InvalidModel unless it divides by the targets.
  // `intercepts`: one for each target, or empty for none.
  LinearScores(std::vector<float> weights, std::vector<float> intercepts, size_t targets);

  size_t targets() const noexcept { return targets_; }
  size_t features() const noexcept { return features_; }

  size_t scratch_bytes(const ValueFacts& x, const Rows& rows, int threads) const;
  // float32 features are multiplied in float32, all others in double. The scores, [rows, targets], lie in `scratch`.
  // Calls use.template operator()<T>(scores) with the type of the scores.
  template <class Use>
  void compute(const Tensor& x, const Rows& rows, std::byte* scratch, core::ThreadPool& pool, const Use& use) const {
    if (x.dtype() == DType::kFloat32) return use(float_scores(x, rows, scratch, pool));
    use(double_scores(x, rows, scratch, pool));
  }

 private:
  const float* float_scores(const Tensor& x, const Rows& rows, std::byte* scratch, core::ThreadPool& pool) const noexcept;
  const double* double_scores(const Tensor& x, const Rows& rows, std::byte* scratch, core::ThreadPool& pool) const noexcept;

  size_t targets_, features_;
  std::vector<float> weights_, intercepts_, packed_;
};

}  // namespace sardonyx::ops
