#include "ops/microsoft/head_attention.h"

#include <algorithm>
#include <cmath>

#include "ops/attributes/attributes.h"

namespace sardonyx::ops {
namespace {

void add_filter(float filter, size_t first, size_t last, float* scores) noexcept {
  for (size_t j = first; j < last; ++j) scores[j] += filter;
}

// What add_bias of the kernel is called with.
struct BiasContext {
  const HeadAttention& attention;
  const HeadAttention::Values& values;

  static void add(const void* self, size_t batch, size_t head, size_t row, size_t first, size_t last, float* scores) noexcept {
    const auto& [attention, values] = *static_cast<const BiasContext*>(self);
    if (values.bias) attention.bias.add(values.bias, batch, head, row, first, last, scores);
    attention.mask.add(values.mask, attention.spec.mask_filter, to_size(attention.sizes.batch), batch, row, first, last, scores);
  }
};

// A mask whose values stand for keys, by its dimensions behind the batch.
PaddingMask key_mask(const Shape& mask, const HeadAttentionSizes& sizes) {
  PaddingMask result{.kind = PaddingMask::Kind::kKeys};
  const size_t columns = to_size(mask.back());
  result.row_stride = mask.size() == 2 ? 0 : columns;
  result.batch_stride = mask.size() == 2 ? columns : to_size(mask[mask.size() - 2]) * columns;
  result.offset = mask.size() == 4 ? to_size(sizes.past) * columns : 0;
  return result;
}

}  // namespace

HeadAttentionSpec head_attention_spec_from_node(const model::Node& node) {
  const HeadAttentionSpec spec = {.heads = get_count(node, "num_heads", 0, 1),
                                  .scale = model::get_float(node, "scale", 0),
                                  .mask_filter = model::get_float(node, "mask_filter_value", -10000),
                                  .causal = model::get_int(node, "unidirectional", 0) == 1};
  if (!std::isfinite(spec.scale)) throw model_error("attribute scale is {}; it must be finite", spec.scale);
  return spec;
}

void PaddingMask::add(const int32_t* data, float filter, size_t batches, size_t batch, size_t row, size_t first, size_t last,
                      float* scores) const noexcept {
  const auto within = [&](int32_t key) { return std::clamp(static_cast<size_t>(std::max<int32_t>(key, 0)), first, last); };
  switch (kind) {
    case Kind::kNone:
      return;
    case Kind::kEnds:
      return add_filter(filter, within(data[batch]), last, scores);
    case Kind::kEndsAndStarts: {
      const size_t end = within(data[batch]), start = within(data[batches + batch]);
      add_filter(filter, first, std::min(start, end), scores);
      return add_filter(filter, end, last, scores);
    }
    case Kind::kKeys: {
      const int32_t* keys = data + batch * batch_stride + row * row_stride + offset;
      for (size_t j = first; j < last; ++j) scores[j] += keys[j] > 0 ? 0 : filter;
    }
  }
}

void ScoreBias::add(const float* data, size_t batch, size_t head, size_t row, size_t first, size_t last, float* scores) const noexcept {
  const float* bias = data + batch * batch_stride + head * head_stride + row * row_stride;
  for (size_t j = first; j < last; ++j) scores[j] += bias[j];
}

PaddingMask bind_padding_mask(const ValueFacts& facts, const HeadAttentionSizes& sizes, std::string_view name) {
  require_dtype(facts, {DType::kInt32}, name);
  const Shape& mask = facts.shape;
  const int64_t batch = sizes.batch;
  if (mask == Shape{batch} || mask == Shape{3 * batch + 2}) return {.kind = PaddingMask::Kind::kEnds};
  if (mask == Shape{2 * batch}) return {.kind = PaddingMask::Kind::kEndsAndStarts};
  if (mask == Shape{batch, sizes.keys()} || mask == Shape{batch, sizes.queries, sizes.keys()}) return key_mask(mask, sizes);
  if (mask == Shape{batch, 1} || mask == Shape{1, 1}) return {};
  const bool is_square = mask.size() == 4 && mask[0] == batch && mask[1] == 1 && mask[2] == mask[3] && mask[2] >= sizes.keys() &&
                         sizes.past + sizes.queries <= mask[2];
  if (is_square) return key_mask(mask, sizes);
  throw argument_error(
      "{} has shape {}; with batch {b}, {q} queries and {k} keys it must be [{b}], [2 * {b}], [3 * {b} + 2], [{b}, {k}], [{b}, {q}, {k}] "
      "or "
      "[{b}, 1, n, n] with n >= {k}",
      name, to_string(mask), fmt::arg("b", batch), fmt::arg("q", sizes.queries), fmt::arg("k", sizes.keys()));
}

void check_padding_mask(const PaddingMask& mask, const Tensor& values, int64_t batch, std::string_view name) {
  if (mask.kind != PaddingMask::Kind::kEnds && mask.kind != PaddingMask::Kind::kEndsAndStarts) return;
  for (const int32_t end : values.values<int32_t>().first(to_size(batch))) {
    if (end < 0) throw argument_error("{} tells that a sample ends at key {}, which is negative", name, end);
  }
}

ScoreBias bind_score_bias(const ValueFacts& facts, const Shape& scores, std::string_view name) {
  require_float(facts, name);
  const Shape& bias = facts.shape;
  const bool fits = bias.size() == 4 && (bias[0] == 1 || bias[0] == scores[0]) && (bias[1] == 1 || bias[1] == scores[1]) &&
                    bias[2] == scores[2] && bias[3] == scores[3];
  if (!fits) {
    throw argument_error("{} has shape {}; it must be {}, where batch and heads may be 1", name, to_string(bias), to_string(scores));
  }
  const size_t row = to_size(bias[3]), matrix = to_size(bias[2]) * row;
  return {.batch_stride = bias[0] == 1 ? 0 : to_size(bias[1]) * matrix, .head_stride = bias[1] == 1 ? 0 : matrix, .row_stride = row};
}

kernels::AttentionShape HeadAttention::shape() const noexcept {
  return {.batch = to_size(sizes.batch),
          .query_heads = to_size(sizes.heads),
          .key_heads = to_size(sizes.heads),
          .queries = to_size(sizes.queries),
          .past = to_size(sizes.past),
          .fresh = to_size(sizes.fresh),
          .head_size = to_size(sizes.head_size),
          .value_size = to_size(sizes.value_size)};
}

size_t HeadAttention::scratch_bytes(int threads) const noexcept { return kernels::attention_scratch_bytes<float>(shape(), threads); }

double HeadAttention::flops() const noexcept {
  return 2.0 * static_cast<double>(sizes.batch * sizes.heads) * static_cast<double>(sizes.queries) * static_cast<double>(sizes.keys()) *
         static_cast<double>(sizes.head_size + sizes.value_size);
}

void HeadAttention::run(const Values& values, void* scratch, core::ThreadPool& pool) const noexcept {
  const kernels::AttentionShape s = shape();
  const BiasContext context = {*this, values};
  const kernels::AttentionJob<float> job = {.shape = s,
                                            .scale = spec.scale != 0 ? spec.scale : 1 / std::sqrt(static_cast<float>(sizes.head_size)),
                                            .causal = spec.causal,
                                            .query = values.query,
                                            .past_key = values.past_key,
                                            .past_value = values.past_value,
                                            .key = values.key,
                                            .value = values.value,
                                            .out = row_major(values.out, s.queries, s.value_size, s.query_heads * s.value_size),
                                            .add_bias = values.bias || mask.kind != PaddingMask::Kind::kNone ? &BiasContext::add : nullptr,
                                            .bias_context = &context,
                                            .scores = values.scores,
                                            .score_output = kernels::ScoreOutput::kMasked,
                                            .hidden = std::numeric_limits<float>::lowest()};
  kernels::attention<float>(job, scratch, pool);
}

void require_float(const ValueFacts& facts, std::string_view name) { require_dtype(facts, {DType::kFloat32}, name); }

void require_shape(const ValueFacts& facts, const Shape& expected, std::string_view name) {
  if (facts.shape != expected) throw argument_error("{} has shape {}; it must be {}", name, to_string(facts.shape), to_string(expected));
}

kernels::HeadView<const std::byte> as_bytes(const kernels::HeadView<const float>& view) noexcept {
  constexpr size_t kBytes = sizeof(float);
  return {reinterpret_cast<const std::byte*>(view.data), view.batch_stride * kBytes, view.head_stride * kBytes, view.row_stride * kBytes};
}

}  // namespace sardonyx::ops
