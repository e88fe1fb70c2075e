#include "kernels/cpu/attention/rotary.h"

#include <algorithm>

namespace sardonyx::kernels {
namespace {

void turn(const RotaryShape& s, const float* x, const float* cosine, const float* sine, float* y) noexcept {
  const size_t half = s.rotated / 2;
  const size_t step = s.interleaved ? 2 : 1, apart = s.interleaved ? 1 : half;
  for (size_t i = 0; i < half; ++i) {
    const float a = x[i * step], b = x[i * step + apart];
    y[i * step] = cosine[i] * a - sine[i] * b;
    y[i * step + apart] = sine[i] * a + cosine[i] * b;
  }
  std::copy(x + s.rotated, x + s.head_size, y + s.rotated);
}

}  // namespace

void rotary(const RotaryShape& s, const float* x, const float* cosine, const float* sine, const int64_t* positions, float* y,
            core::ThreadPool& pool) noexcept {
  const size_t half = s.rotated / 2;
  pool.for_each(s.batch * s.tokens, [&](size_t i) {
    const size_t row = positions ? static_cast<size_t>(positions[i]) : i;
    const size_t at = i / s.tokens * s.batch_stride + i % s.tokens * s.token_stride;
    for (size_t head = 0; head < s.heads; ++head) {
      turn(s, x + at + head * s.head_stride, cosine + row * half, sine + row * half, y + at + head * s.head_stride);
    }
  });
}

}  // namespace sardonyx::kernels
