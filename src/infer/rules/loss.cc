#include <fmt/format.h>

#include "infer/rules.h"
#include "infer/rules/unify.h"

namespace sardonyx::infer {

namespace {
// Whether each element keeps its own loss; else the loss is a scalar.
bool is_per_element(const NodeContext& context) { return model::get_string(context.node(), "reduction", "mean") == "none"; }

// Scores [n, c, d1, ...] without their classes: [n, d1, ...].
Dims without_classes(const Dims& scores) {
  Dims dims = scores;
  if (dims.size() > 1) dims.erase(dims.begin() + 1);
  return dims;
}
}  // namespace

// NegativeLogLikelihoodLoss, all versions: input [n, c, d1, ...] and target [n, d1, ...].
void infer_negative_log_likelihood_loss(NodeContext& context) {
  const bool per_element = is_per_element(context);
  if (!per_element) context.set_shape(0, {});
  const Dims* input = context.shape(0);
  const Dims* target = context.shape(1);
  if (input == nullptr || target == nullptr) {
    if (per_element) context.copy_shape(1, 0);
    return;
  }
  context.expect_min_rank(0, 2, "input");
  context.expect_rank(1, input->size() - 1, "target");
  context.expect_rank(2, 1, "weight");
  const Dims losses = merge(context, without_classes(*input), *target, "the dimensions of input and target");
  if (per_element) context.set_shape(0, losses);
}

// SoftmaxCrossEntropyLoss, all versions: scores [n, c, d1, ...] and labels [n, d1, ...].
void infer_softmax_cross_entropy_loss(NodeContext& context) {
  const Dims* scores = context.shape(0);
  context.copy_type(0, 1);
  if (!is_per_element(context)) return context.set_shape(0, {});
  if (context.shape(1) != nullptr) {
    context.copy_shape(1, 0);
  } else if (scores != nullptr && scores->size() > 1) {
    context.set_shape(0, without_classes(*scores));
  }
}

}  // namespace sardonyx::infer
