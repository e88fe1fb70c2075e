#include "ops/ml/post_transform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "ops/attributes/attributes.h"

namespace sardonyx::ops {
namespace {

double logistic(double x) noexcept {
  const double small = std::exp(-std::abs(x));
  return x < 0 ? small / (1 + small) : 1 / (1 + small);
}

double probit(double p) noexcept {
  constexpr double kA = 0.147;
  const double x = 2 * p - 1, log_term = std::log((1 - x) * (1 + x));
  if (std::isinf(log_term)) return std::copysign(std::numeric_limits<double>::infinity(), x);
  const double half = 2 / (std::numbers::pi * kA) + log_term / 2;
  return std::copysign(std::numbers::sqrt2 * std::sqrt(-half + std::sqrt(half * half - log_term / kA)), x);
}

void softmax(std::span<double> scores) noexcept {
  const double greatest = *std::ranges::max_element(scores);
  double total = 0;
  for (double& score : scores) total += score = std::exp(score - greatest);
  for (double& score : scores) score /= total;
}

void softmax_zero(std::span<double> scores) noexcept {
  const double greatest = *std::ranges::max_element(scores);
  double total = 0;
  for (double& score : scores) {
    score = std::abs(score) > 1e-7 || std::isnan(score) ? std::exp(score - greatest) : score * std::exp(-greatest);
    total += score;
  }
  for (double& score : scores) score = total == 0 ? 0.5 : score / total;
}

}  // namespace

PostTransform post_transform_from_word(const model::Node& node) {
  return get_choice<PostTransform>(node, "post_transform", "NONE",
                                   {{"NONE", PostTransform::kNone},
                                    {"SOFTMAX", PostTransform::kSoftmax},
                                    {"LOGISTIC", PostTransform::kLogistic},
                                    {"SOFTMAX_ZERO", PostTransform::kSoftmaxZero},
                                    {"PROBIT", PostTransform::kProbit}});
}

PostTransform post_transform_from_number(const model::Node& node) {
  const int64_t number = model::get_int(node, "post_transform", 0);
  if (number < 0 || number > 4) throw model_error("attribute post_transform is {}; it must lie in [0, 4]", number);
  return static_cast<PostTransform>(number);
}

void transform_scores(PostTransform transform, std::span<double> scores) noexcept {
  if (transform == PostTransform::kLogistic) {
    for (double& score : scores) score = logistic(score);
  } else if (transform == PostTransform::kProbit) {
    for (double& score : scores) score = probit(score);
  } else if (transform == PostTransform::kSoftmax && scores.size() > 1) {
    softmax(scores);
  } else if (transform == PostTransform::kSoftmaxZero && scores.size() > 1) {
    softmax_zero(scores);
  }
}

ScorePair transform_pair(PostTransform transform, FirstScore rule, double score) noexcept {
  std::array<double, 1> second = {score};
  transform_scores(transform, second);
  if (transform == PostTransform::kLogistic) return {logistic(-score), second[0]};
  return {rule == FirstScore::kComplement ? 1 - second[0] : -second[0], second[0]};
}

}  // namespace sardonyx::ops
