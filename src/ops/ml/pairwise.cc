#include "ops/ml/pairwise.h"

#include <algorithm>
#include <cmath>

namespace sardonyx::ops {

double platt_probability(double decision, double a, double b) noexcept {
  const double f = decision * a + b, small = std::exp(-std::abs(f));
  return std::clamp(f >= 0 ? small / (1 + small) : 1 / (1 + small), 1e-7, 1 - 1e-7);
}

void PairCoupling::fill_quadratic_form(std::span<const double> pairs) noexcept {
  const size_t k = classes_;
  for (size_t i = 0, pair = 0; i < k; ++i) {
    for (size_t j = i + 1; j < k; ++j, ++pair) {
      r_[i * k + j] = pairs[pair];
      r_[j * k + i] = 1 - pairs[pair];
    }
  }
  for (size_t t = 0; t < k; ++t) {
    double& diagonal = q_[t * k + t] = 0;
    for (size_t j = 0; j < k; ++j) {
      if (j == t) continue;
      diagonal += r_[j * k + t] * r_[j * k + t];
      q_[t * k + j] = -r_[j * k + t] * r_[t * k + j];
    }
  }
}

double PairCoupling::multiply(std::span<const double> p) noexcept {
  double total = 0;
  for (size_t t = 0; t < classes_; ++t) {
    qp_[t] = 0;
    for (size_t j = 0; j < classes_; ++j) qp_[t] += q_[t * classes_ + j] * p[j];
    total += p[t] * qp_[t];
  }
  return total;
}

void PairCoupling::improve(size_t t, double& pqp, std::span<double> p) noexcept {
  const double* line = q_.data() + t * classes_;
  const double step = (pqp - qp_[t]) / line[t], scale = 1 + step;
  p[t] += step;
  pqp = (pqp + step * (step * line[t] + 2 * qp_[t])) / (scale * scale);
  for (size_t j = 0; j < classes_; ++j) {
    qp_[j] = (qp_[j] + step * line[j]) / scale;
    p[j] /= scale;
  }
}

void PairCoupling::solve(std::span<const double> pairs, std::span<double> p) noexcept {
  fill_quadratic_form(pairs);
  const auto k = static_cast<double>(classes_);
  std::ranges::fill(p, 1 / k);
  for (size_t round = 0, most = std::max<size_t>(100, classes_); round < most; ++round) {
    double pqp = multiply(p), error = 0;
    for (size_t t = 0; t < classes_; ++t) error = std::max(error, std::abs(qp_[t] - pqp));
    if (error < 0.005 / k) break;
    for (size_t t = 0; t < classes_; ++t) improve(t, pqp, p);
  }
}

}  // namespace sardonyx::ops
