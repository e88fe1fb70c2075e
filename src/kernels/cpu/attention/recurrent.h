// Linear attention as a recurrence: each key head keeps a state S (key size x value size); for each token
//   S = exp(decay) * S (if gated);  v' = beta * (v - S' k) (if corrected, else v);  S += k v';  out = scale * S' q.
#pragma once

#include <cstddef>

#include "core/parallel.h"

namespace sardonyx::kernels {

// All inputs are (batch, tokens, heads * size), contiguous.
struct RecurrentAttention {
  size_t batch = 0, tokens = 0, query_heads = 0, key_heads = 0, key_size = 0, value_size = 0;
  size_t decay_size = 0;  // values of one head: key_size, 1, or 0 (not gated)
  size_t beta_heads = 0;  // key_heads, 1, or 0 (no correction)
  float scale = 1;
  const float *query = nullptr, *key = nullptr, *value = nullptr, *decay = nullptr, *beta = nullptr;
};

// `state` (batch, key_heads, key_size, value_size) is read and left as it is after the last token.
// `scratch`: recurrent_attention_scratch_floats() floats for each thread of the pool.
size_t recurrent_attention_scratch_floats(const RecurrentAttention& job) noexcept;
void recurrent_attention(const RecurrentAttention& job, float* state, float* out, float* scratch, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
