// Scaled dot-product attention over batches and heads, for float and double.
//
// Keys and values may come in two pieces, a past and a new one, which are read where they lie. Scores are made for a block of query rows
// at a time, so scratch does not grow with the number of queries; keys that no row of a block may see are not looked at. Work is split
// over batches, heads and blocks of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/parallel.h"

namespace sardonyx::kernels {

// Matrices (rows x columns, contiguous rows) for each batch and head.
template <class T>
struct HeadView {
  T* data = nullptr;
  size_t batch_stride = 0, head_stride = 0, row_stride = 0;

  T* at(size_t batch, size_t head) const noexcept { return data + batch * batch_stride + head * head_stride; }
};

struct AttentionShape {
  size_t batch = 0, query_heads = 0, key_heads = 0;  // key_heads divides query_heads: consecutive query heads share a key head
  size_t queries = 0, past = 0, fresh = 0;           // rows; the keys are `past` ones and then `fresh` ones
  size_t head_size = 0, value_size = 0;
  size_t keys() const noexcept { return past + fresh; }
  size_t key_head(size_t query_head) const noexcept { return query_head / (query_heads / key_heads); }
};

// What is written to AttentionJob::scores.
enum class ScoreOutput { kProduct, kCapped, kMasked, kProbability };

template <class T>
struct AttentionJob {
  AttentionShape shape;
  T scale = 1;
  T softcap = 0;              // 0: none
  bool causal = false;        // query i sees keys up to its position, which is past + i
  size_t window = 0;          // of causal attention: each query sees its last `window` keys; 0: all of them
  bool wide_softmax = false;  // exponentials and sums in double

  HeadView<const T> query, past_key, past_value, key, value;
  HeadView<T> out;
  // The bias of query row `row` for the keys [first, last), added to scores[first, last); called for each row if not null. Minus infinity
  // hides a key.
  void (*add_bias)(const void* context, size_t batch, size_t head, size_t row, size_t first, size_t last, T* scores) noexcept = nullptr;
  const void* bias_context = nullptr;
  const int64_t* valid_keys = nullptr;      // for each batch: keys from this one on are hidden
  const int64_t* first_position = nullptr;  // for each batch: the position of query 0, in the place of `past`
  const T* sinks = nullptr;                 // for each query head: the score of one more key, whose value is 0

  T* scores = nullptr;  // (batch, query_heads, queries, keys), or null
  ScoreOutput score_output = ScoreOutput::kProduct;
  T hidden = -std::numeric_limits<T>::infinity();  // what masked scores tell of keys that causality, window or valid_keys hide
};

// Bytes for a pool of `threads` threads.
template <class T>
size_t attention_scratch_bytes(const AttentionShape& shape, int threads) noexcept;

template <class T>
void attention(const AttentionJob<T>& job, void* scratch, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
