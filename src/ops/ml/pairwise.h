// Class probabilities from pairwise ones, as libsvm has them: Platt's sigmoid for each pair of classes, and the coupling of Wu, Lin and
// Weng ("Probability estimates for multi-class classification by pairwise coupling", 2004), method 2.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sardonyx::ops {

// 1 / (1 + exp(a * decision + b)), kept 1e-7 away from 0 and 1.
double platt_probability(double decision, double a, double b) noexcept;

class PairCoupling {
 public:
  explicit PairCoupling(size_t classes) : classes_(classes), r_(classes * classes), q_(classes * classes), qp_(classes) {}

  // `pairs`: the probability of the first class of each pair (0, 1), (0, 2), ... (1, 2), ...; writes one probability for each class.
  void solve(std::span<const double> pairs, std::span<double> p) noexcept;

 private:
  void fill_quadratic_form(std::span<const double> pairs) noexcept;
  // p'Qp, with Qp left in qp_.
  double multiply(std::span<const double> p) noexcept;
  void improve(size_t t, double& pqp, std::span<double> p) noexcept;

  size_t classes_;
  std::vector<double> r_, q_, qp_;
};

}  // namespace sardonyx::ops
