#include "ops/ml/linear_scores.h"

#include <array>

#include "core/arena.h"
#include "kernels/cpu/gemm/gemm.h"

namespace sardonyx::ops {
namespace {

// Partial sums side by side, in one fixed order.
double dot(const double* x, const float* w, size_t count) noexcept {
  std::array<double, 8> lanes = {};
  size_t i = 0;
  for (; i + lanes.size() <= count; i += lanes.size()) {
    for (size_t lane = 0; lane < lanes.size(); ++lane) lanes[lane] += x[i + lane] * static_cast<double>(w[i + lane]);
  }
  for (size_t lane = 0; i < count; ++i, ++lane) lanes[lane] += x[i] * static_cast<double>(w[i]);
  double result = 0;
  for (const double lane : lanes) result += lane;
  return result;
}

}  // namespace

LinearScores::LinearScores(std::vector<float> weights, std::vector<float> intercepts, size_t targets)
    : targets_(targets), features_(weights.size() / targets), weights_(std::move(weights)), intercepts_(std::move(intercepts)) {
  if (weights_.empty() || features_ * targets_ != weights_.size())
    throw model_error("attribute coefficients has {} entries; it must have as many for each of the {} targets", weights_.size(), targets_);
  if (intercepts_.empty()) intercepts_.assign(targets_, 0.0f);
  if (intercepts_.size() != targets_)
    throw model_error("attribute intercepts has {} entries; it must have one for each of the {} targets", intercepts_.size(), targets_);
  packed_.resize(kernels::packed_b_floats(features_, targets_));
  kernels::pack_b(features_, targets_, kernels::Matrix::view(weights_.data(), 1, static_cast<ptrdiff_t>(features_)), packed_.data());
}

size_t LinearScores::scratch_bytes(const ValueFacts& x, const Rows& rows, int threads) const {
  if (x.dtype == DType::kFloat32) {
    const size_t product = kernels::gemm_scratch_bytes({rows.count, targets_, features_}, false, true, threads);
    return core::align_up(rows.count * targets_ * sizeof(float)) + product;
  }
  return core::align_up(rows.count * targets_ * sizeof(double)) + conversion_bytes<double>(x);
}

const float* LinearScores::float_scores(const Tensor& x, const Rows& rows, std::byte* scratch, core::ThreadPool& pool) const noexcept {
  float* scores = reinterpret_cast<float*>(scratch);
  std::byte* rest = scratch + core::align_up(rows.count * targets_ * sizeof(float));
  kernels::Epilogue epilogue;
  epilogue.column_bias = intercepts_.data();
  const auto features = static_cast<ptrdiff_t>(features_), targets = static_cast<ptrdiff_t>(targets_);
  kernels::gemm({rows.count, targets_, features_}, kernels::Matrix::view(static_cast<const float*>(x.raw()), features),
                kernels::Matrix::packed(packed_.data()), epilogue, scores, targets, rest, pool);
  return scores;
}

const double* LinearScores::double_scores(const Tensor& x, const Rows& rows, std::byte* scratch, core::ThreadPool& pool) const noexcept {
  double* scores = reinterpret_cast<double*>(scratch);
  const double* values = elements_as<double>(x, scratch + core::align_up(rows.count * targets_ * sizeof(double)), pool);
  pool.for_ranges(rows.count, rows_per_task(features_ * targets_), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      for (size_t target = 0; target < targets_; ++target) {
        scores[i * targets_ + target] =
            dot(values + i * features_, weights_.data() + target * features_, features_) + static_cast<double>(intercepts_[target]);
      }
    }
  });
  return scores;
}

}  // namespace sardonyx::ops
