// Operators that read or write at indices: Gather and Scatter in all their kinds.
#include <fmt/format.h>

#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
// Elements of a vector at the indices; unknown ones where an index is.
void gather_elements(NodeContext& context) {
  const std::optional<Dims> data = elements_of(context, 0), indices = elements_or_unknown(context, 1);
  if (!data || !indices) return;
  const auto size = static_cast<int64_t>(data->size());
  Dims result;
  for (const Dim index : *indices) {
    if (index.is_known() && (index.value() < -size || index.value() >= size)) {
      context.fail(fmt::format("index {} is not within [{}, {}) of an axis of {}", index.value(), -size, size, size));
    }
    const int64_t position = index.is_known() && index.value() < 0 ? index.value() + size : index.value();
    result.push_back(index.is_known() ? (*data)[static_cast<size_t>(position)] : Dim());
  }
  put_elements(context, 0, std::move(result));
}
}  // namespace

void infer_gather(NodeContext& context) {
  const Dims* data = context.shape(0);
  const Dims* indices = context.shape(1);
  context.expect_min_rank(0, 1, "data");
  if (data == nullptr) return;
  const size_t axis = context.axis(model::get_int(context.node(), "axis", 0), data->size());
  if (indices == nullptr) return;
  const auto at = data->begin() + static_cast<ptrdiff_t>(axis);
  Dims result(data->begin(), at);
  result.insert(result.end(), indices->begin(), indices->end());
  result.insert(result.end(), at + 1, data->end());
  context.set_shape(0, std::move(result));
  if (data->size() == 1) gather_elements(context);
}

void infer_gather_elements(NodeContext& context) {
  context.copy_shape(1, 0);
  const Dims* data = context.shape(0);
  const Dims* indices = context.shape(1);
  if (data != nullptr && indices != nullptr && data->size() == 1 && indices->size() == 1) gather_elements(context);
}

// GatherND: each vector along the last axis of the indices picks one slice of the data.
void infer_gather_nd(NodeContext& context) {
  context.expect_min_rank(0, 1, "data");
  context.expect_min_rank(1, 1, "indices");
  const Dims* data = context.shape(0);
  const Dims* indices = context.shape(1);
  if (data == nullptr || indices == nullptr || !indices->back().is_known()) return;
  const int64_t batch = model::get_int(context.node(), "batch_dims", 0);
  const Dim picked = add(indices->back(), batch);
  if (batch < 0 || !picked.is_known() || static_cast<uint64_t>(picked.value()) > data->size()) {
    context.fail(fmt::format("indices of shape {} with batch_dims {} reach beyond data of shape {}", context.symbols().show(*indices),
                             batch, context.symbols().show(*data)));
  }
  Dims result(indices->begin(), indices->end() - 1);
  result.insert(result.end(), data->begin() + static_cast<ptrdiff_t>(picked.value()), data->end());
  context.set_shape(0, std::move(result));
}

// TensorScatter: the update has the cache's sizes but along the axis; there is one index for each of the batch.
void infer_tensor_scatter(NodeContext& context) {
  context.copy_shape(0, 0);
  const Dims* cache = context.shape(0);
  const Dims* update = context.shape(1);
  const Dims* indices = context.shape(2);
  if (cache != nullptr && update != nullptr) {
    context.expect_rank(1, cache->size(), "update");
    const size_t axis = context.axis(model::get_int(context.node(), "axis", -2), cache->size());
    if (axis == 0) context.fail("axis 0 is the batch, which cannot be written along");
    for (size_t i = 0; i < cache->size(); ++i) {
      if (i != axis) merge(context, (*cache)[i], (*update)[i], fmt::format("size {} of 'past_cache' and 'update'", i));
    }
  }
  context.expect_rank(2, 1, "write_indices");
  if (cache == nullptr || indices == nullptr) return;
  context.expect_min_rank(0, 1, "past_cache");
  merge(context, cache->front(), indices->front(), "the batch of 'past_cache' and the size of 'write_indices'");
}

}  // namespace sardonyx::infer
