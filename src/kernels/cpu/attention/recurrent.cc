#include "kernels/cpu/attention/recurrent.h"

#include <algorithm>
#include <cmath>

namespace sardonyx::kernels {
namespace {

// sums[j] = sum over i of factors[i] * matrix[i][j].
void weigh_rows(size_t rows, size_t columns, const float* factors, const float* matrix, float* sums) noexcept {
  std::fill(sums, sums + columns, 0.0f);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) sums[j] += factors[i] * matrix[i * columns + j];
  }
}

// One key head of one batch over all tokens.
struct Head {
  const RecurrentAttention& job;
  size_t batch, head;
  float *state, *out, *fresh;

  void run() const noexcept {
    for (size_t t = 0; t < job.tokens; ++t) {
      const size_t token = batch * job.tokens + t;
      const float* key = job.key + (token * job.key_heads + head) * job.key_size;
      if (job.decay_size > 0) forget(job.decay + (token * job.key_heads + head) * job.decay_size);
      make_fresh(token, key);
      for (size_t i = 0; i < job.key_size; ++i) {
        for (size_t j = 0; j < job.value_size; ++j) state[i * job.value_size + j] += key[i] * fresh[j];
      }
      read(token);
    }
  }

 private:
  void forget(const float* decay) const noexcept {
    for (size_t i = 0; i < job.key_size; ++i) {
      const float kept = std::exp(decay[job.decay_size == 1 ? 0 : i]);
      for (size_t j = 0; j < job.value_size; ++j) state[i * job.value_size + j] *= kept;
    }
  }

  void make_fresh(size_t token, const float* key) const noexcept {
    const float* value = job.value + (token * job.key_heads + head) * job.value_size;
    if (job.beta_heads == 0) {
      std::copy(value, value + job.value_size, fresh);
      return;
    }
    const float beta = job.beta[token * job.beta_heads + (job.beta_heads == 1 ? 0 : head)];
    weigh_rows(job.key_size, job.value_size, key, state, fresh);
    for (size_t j = 0; j < job.value_size; ++j) fresh[j] = beta * (value[j] - fresh[j]);
  }

  void read(size_t token) const noexcept {
    const size_t group = job.query_heads / job.key_heads;
    for (size_t g = 0; g < group; ++g) {
      const size_t query_head = token * job.query_heads + head * group + g;
      float* to = out + query_head * job.value_size;
      weigh_rows(job.key_size, job.value_size, job.query + query_head * job.key_size, state, to);
      for (size_t j = 0; j < job.value_size; ++j) to[j] *= job.scale;
    }
  }
};

}  // namespace

size_t recurrent_attention_scratch_floats(const RecurrentAttention& job) noexcept { return (job.value_size + 15) / 16 * 16; }

void recurrent_attention(const RecurrentAttention& job, float* state, float* out, float* scratch, core::ThreadPool& pool) noexcept {
  pool.for_each_with_thread(job.batch * job.key_heads, [&](size_t i, size_t thread) {
    const Head head = {job,
                       i / job.key_heads,
                       i % job.key_heads,
                       state + i * job.key_size * job.value_size,
                       out,
                       scratch + thread * recurrent_attention_scratch_floats(job)};
    head.run();
  });
}

}  // namespace sardonyx::kernels
