// Softmax and its kin, and normalisations.
#include <fmt/format.h>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/unify.h"

namespace sardonyx::infer {

namespace {
// The axis from which on X is normalised.
std::optional<size_t> first_normalized_axis(const NodeContext& context) {
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return std::nullopt;
  return context.axis(model::get_int(context.node(), "axis", -1), dims->size());
}

// The size that X's channels and the statistics of each of them share.
Dim batch_norm_channels(const NodeContext& context) {
  const Dims* dims = context.shape(0);
  Dim channels;
  if (dims != nullptr) channels = dims->size() > 1 ? (*dims)[1] : Dim(1);
  constexpr std::string_view kNames[] = {"X", "scale", "B", "input_mean", "input_var"};
  for (size_t i = 1; i < std::size(kNames); ++i) {
    context.expect_rank(i, 1, kNames[i]);
    if (const Dims* statistic = context.shape(i)) {
      channels = merge(context, channels, statistic->front(), fmt::format("channels of X and size of input {} ('{}')", i, kNames[i]));
    }
  }
  return channels;
}
}  // namespace

// Softmax, LogSoftmax, Hardmax: along one axis, before version 13 from it on.
void infer_softmax(NodeContext& context) {
  context.copy_shape(0, 0);
  constexpr int kChecksAxis = 11, kAlongOneAxis = 13;
  const Dims* dims = context.shape(0);
  if (dims == nullptr || context.version() < kChecksAxis) return;
  context.expect_min_rank(0, 1, "input");
  context.axis(model::get_int(context.node(), "axis", context.version() >= kAlongOneAxis ? -1 : 1), dims->size());
}

// BatchNormalization: since version 14 the outputs depend on training_mode; before, four optional ones are statistics of the channels.
void infer_batch_normalization(NodeContext& context) {
  context.copy_shape(0, 0);
  constexpr int kTrainingMode = 14;
  const Dims* dims = context.shape(0);
  if (context.version() < kTrainingMode) {
    if (model::get_int(context.node(), "spatial", 1) == 0 || dims == nullptr || dims->size() < 2) return;
    for (size_t i = 1; i < context.outputs(); ++i) context.set_shape(i, {(*dims)[1]});
    return;
  }
  const Dim channels = batch_norm_channels(context);
  const size_t expected = model::get_int(context.node(), "training_mode", 0) != 0 ? 3 : 1;
  if (context.outputs() != expected) {
    context.fail(fmt::format("with this training_mode the node has {} outputs, not {}", expected, context.outputs()));
  }
  for (size_t i = 1; i < context.outputs(); ++i) context.set_shape(i, {channels});
}

// LayerNormalization: mean and inverse deviation have size 1 along the normalised axes. The scale gives its type to the result, which
// matters before version 17 alone.
void infer_layer_normalization(NodeContext& context) {
  if (context.dtype(1) != DType::kUndefined) context.set_dtype(0, context.dtype(1));
  context.copy_shape(0, 0);
  const DType stash = dtype_attribute(context, "stash_type", DType::kFloat32);
  for (size_t i = 1; i < context.outputs(); ++i) context.set_dtype(i, stash);
  const std::optional<size_t> axis = first_normalized_axis(context);
  if (!axis) return;
  Dims statistics = *context.shape(0);
  for (size_t i = *axis; i < statistics.size(); ++i) statistics[i] = 1;
  for (size_t i = 1; i < context.outputs(); ++i) context.set_shape(i, statistics);
}

// SkipLayerNormalization, SkipSimplifiedLayerNormalization: mean and factor of each row, and the sum that is normalised.
void infer_skip_layer_normalization(NodeContext& context) {
  constexpr size_t kMean = 1, kFactor = 2, kSum = 3;
  context.copy_shape(0, 0);
  context.copy_shape(0, kSum);
  for (const size_t i : {kMean, kFactor}) context.set_dtype(i, DType::kFloat32);
  const Dims* dims = context.shape(0);
  if (dims == nullptr || dims->empty()) return;
  Dims statistics = *dims;
  statistics.back() = 1;
  for (const size_t i : {kMean, kFactor}) context.set_shape(i, statistics);
}

// EmbedLayerNormalization: ids [b, s] and words [n, h] give [b, s, h] and, for each row of ids, a count.
void infer_embed_layer_normalization(NodeContext& context) {
  constexpr size_t kWords = 2, kCounts = 1, kSum = 2;
  Dim batch, length, count, size;
  unify(context, 0, "input_ids", {&batch, &length});
  unify(context, kWords, "word_embedding", {&count, &size});
  context.set_dtype(kCounts, DType::kInt32);
  context.set_shape(kCounts, {batch});
  for (const size_t i : {size_t{0}, kSum}) {
    context.set_dtype(i, context.dtype(kWords));
    context.set_shape(i, {batch, length, size});
  }
}

void infer_rms_normalization(NodeContext& context) {
  context.copy_shape(0, 0);
  first_normalized_axis(context);
}

}  // namespace sardonyx::infer
