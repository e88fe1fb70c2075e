// Rotary position embeddings: pairs of values of each head are turned by the angle of their token's position.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel.h"

namespace sardonyx::kernels {

struct RotaryShape {
  size_t batch = 0, tokens = 0, heads = 0, head_size = 0;
  size_t rotated = 0;        // the first values of each head that turn; even
  bool interleaved = false;  // pairs are neighbours; else value i pairs with value i + rotated / 2
  // Elements between batches, tokens and heads, in x and y alike.
  size_t batch_stride = 0, token_stride = 0, head_stride = 0;
};

// `cosine` and `sine` hold rows of rotated / 2 values: row positions[batch * tokens + token], or without positions that number itself.
void rotary(const RotaryShape& shape, const float* x, const float* cosine, const float* sine, const int64_t* positions, float* y,
            core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
