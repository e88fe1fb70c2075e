#include "ops/ml/tree_scores.h"

namespace sardonyx::ops {

TreeScorer::TreeScorer(const ForestForms& forms, kernels::TreeFold fold, const ValueFacts& x, const Rows& rows, int threads)
    : shape_(&forms.shape()), fold_(fold), rows_(rows), block_(std::clamp<size_t>((size_t{1} << 16) / forms.shape().targets, 1, 64)) {
  if (rows.features < shape_->features)
    throw argument_error("X has {} features in a row; the trees test feature {} (attribute nodes_featureids)", rows.features,
                         shape_->features - 1);
  if (forms.is_double(x.dtype)) {
    in_double_ = &forms.in_double();
    conversion_ = core::align_up(conversion_bytes<double>(x));
  } else {
    in_float_ = &forms.in_float();
    conversion_ = core::align_up(conversion_bytes<float>(x));
  }
  constexpr size_t kFewBlocks = 8, kMostGroupBytes = size_t{1} << 24;
  by_groups_ = groups() > 1 && blocks() < kFewBlocks && blocks() * groups() <= kMostGroupBytes / buffer_bytes();
  buffers_ = by_groups_ ? blocks() * groups() : 2 * to_size(threads);
  if (buffer_bytes() > tensor_byte_limit() / buffers_)
    throw Error(ErrorCode::kResourceLimit,
                fmt::format("the scores of {} targets are larger than the memory of this machine", shape_->targets));
}

}  // namespace sardonyx::ops
