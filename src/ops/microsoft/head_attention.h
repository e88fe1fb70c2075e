// What Attention, QAttention and MultiHeadAttention of com.microsoft share: heads of equal number for queries, keys and values, a key
// padding mask of many shapes, and a bias on the scores.
//
// A key that the padding mask leaves out gets mask_filter_value added to its score; a later key under `unidirectional` is hidden.
#pragma once

#include <limits>
#include <string_view>

#include "kernels/cpu/attention/attention.h"
#include "ops/facts.h"
#include "ops/op.h"

namespace sardonyx::ops {

struct HeadAttentionSpec {
  int64_t heads = 0;
  float scale = 0;  // 0: 1 / sqrt(head size)
  float mask_filter = 0;
  bool causal = false;
};
HeadAttentionSpec head_attention_spec_from_node(const model::Node& node);

struct HeadAttentionSizes {
  int64_t batch = 0, heads = 0, queries = 0, past = 0, fresh = 0, head_size = 0, value_size = 0;
  int64_t keys() const noexcept { return past + fresh; }
};

// An int32 mask. One dimension: where the keys of each sample end and, with kEndsAndStarts, where they begin (all ends, then all starts).
// More dimensions: values above 0 stand for keys that count.
struct PaddingMask {
  enum class Kind { kNone, kEnds, kEndsAndStarts, kKeys };
  Kind kind = Kind::kNone;
  size_t batch_stride = 0, row_stride = 0, offset = 0;  // of kKeys, in elements

  // Adds `filter` to the scores of the keys in [first, last) that do not count.
  void add(const int32_t* data, float filter, size_t batches, size_t batch, size_t row, size_t first, size_t last,
           float* scores) const noexcept;
};
// Throws InvalidArgument, telling `name`, where the shape is none of [batch], [2 * batch], [3 * batch + 2], [batch, keys],
// [batch, queries, keys], [batch, 1, most, most] (rows from `past` on); and of [1, 1] and [batch, 1], which mask nothing.
PaddingMask bind_padding_mask(const ValueFacts& facts, const HeadAttentionSizes& sizes, std::string_view name);
// Throws InvalidArgument where a mask of one dimension has a negative end.
void check_padding_mask(const PaddingMask& mask, const Tensor& values, int64_t batch, std::string_view name);

// A bias of shape [batch or 1, heads or 1, queries, keys].
struct ScoreBias {
  size_t batch_stride = 0, head_stride = 0, row_stride = 0;
  void add(const float* data, size_t batch, size_t head, size_t row, size_t first, size_t last, float* scores) const noexcept;
};
ScoreBias bind_score_bias(const ValueFacts& facts, const Shape& scores, std::string_view name);

// Attention over float views. Inputs that are absent are null.
struct HeadAttention {
  HeadAttentionSpec spec;
  HeadAttentionSizes sizes;
  PaddingMask mask;
  ScoreBias bias;

  struct Values {
    kernels::HeadView<const float> query, past_key, past_value, key, value;
    float* out = nullptr;  // (batch, queries, heads * value size)
    const int32_t* mask = nullptr;
    const float* bias = nullptr;
    float* scores = nullptr;  // what enters the softmax: (batch, heads, queries, keys), or null
  };
  kernels::AttentionShape shape() const noexcept;
  size_t scratch_bytes(int threads) const noexcept;
  double flops() const noexcept;
  void run(const Values& values, void* scratch, core::ThreadPool& pool) const noexcept;
};

// Throws InvalidArgument for an input of com.microsoft's attention operators that names another element type than float32.
void require_float(const ValueFacts& facts, std::string_view name);
void require_shape(const ValueFacts& facts, const Shape& expected, std::string_view name);

// Rows of heads in the order (batch, heads, rows, size), contiguous.
template <class T>
kernels::HeadView<T> head_major(T* data, size_t heads, size_t rows, size_t size) noexcept {
  return {data, heads * rows * size, rows * size, size};
}
// Heads of `size` values within rows of `row` values: (batch, rows, row).
template <class T>
kernels::HeadView<T> row_major(T* data, size_t rows, size_t size, size_t row) noexcept {
  return {data, rows * row, size, row};
}
// The same heads with strides in bytes.
kernels::HeadView<const std::byte> as_bytes(const kernels::HeadView<const float>& view) noexcept;

}  // namespace sardonyx::ops
