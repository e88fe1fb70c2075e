// What ai.onnx.ml's models make of the scores of a row before they give them out.
#pragma once

#include <cstdint>
#include <span>

#include "sardonyx/model.h"

namespace sardonyx::ops {

enum class PostTransform { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

// Attribute post_transform as a word, or (TreeEnsemble) as a number: the specification's order, which is that of PostTransform; ONNX
// Runtime takes 1 for LOGISTIC and 2 for SOFTMAX. Throw InvalidModel for unknown ones.
PostTransform post_transform_from_word(const model::Node& node);
PostTransform post_transform_from_number(const model::Node& node);

// Transforms the scores of one row in place. SOFTMAX_ZERO is SOFTMAX over the scores that are not 0 (within 1e-7), which stay 0. PROBIT is
// the quantile of the normal distribution by Winitzki's formula for the inverse error function with a = 0.147, which is within 0.0036 of
// it, as ONNX's reference and ONNX Runtime have it; NaN outside [0, 1]. A single score has nothing to be normalised with: the softmaxes
// leave it as it is. LOGISTIC changes it as the specification says, where ONNX Runtime's regressors with one target do not.
void transform_scores(PostTransform transform, std::span<double> scores) noexcept;

// The two scores of a model that scores the second of its two classes only.
enum class FirstScore { kComplement, kNegative };  // [1 - s, s], [-s, s]
struct ScorePair {
  double first, second;
};
// LOGISTIC makes both of them probabilities.
ScorePair transform_pair(PostTransform transform, FirstScore rule, double score) noexcept;

}  // namespace sardonyx::ops
