#include "kernels/cpu/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/arena.h"
#include "kernels/cpu/gemm/serial_product.h"
#include "kernels/cpu/reduce/softmax.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kRows = 32;  // queries of one task

template <class T>
void softmax_row(size_t size, bool wide, T* row, core::ThreadPool& pool) noexcept {
  if constexpr (std::is_same_v<T, float>) {
    if (!wide) return softmax(1, size, false, row, row, pool);
  }
  double greatest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (size_t i = 0; i < size; ++i) greatest = std::max(greatest, static_cast<double>(row[i]));
  for (size_t i = 0; i < size; ++i) sum += std::exp(static_cast<double>(row[i]) - greatest);
  for (size_t i = 0; i < size; ++i) row[i] = static_cast<T>(std::exp(static_cast<double>(row[i]) - greatest) / sum);
}

template <class T>
size_t product_bytes(const AttentionShape& s) noexcept {
  size_t most = 0;
  for (const size_t rows : {std::min(kRows, s.queries), s.queries % kRows}) {
    const auto bytes = [rows](size_t n, size_t k) { return serial_product_scratch_bytes<T>({rows, n, k}); };
    most = std::max(
        {most, bytes(s.past, s.head_size), bytes(s.fresh, s.head_size), bytes(s.value_size, s.past), bytes(s.value_size, s.fresh)});
  }
  return core::align_up(most);
}

template <class T>
size_t task_bytes(const AttentionShape& s) noexcept {
  return core::align_up(kRows * s.keys() * sizeof(T)) + product_bytes<T>(s);
}

// One block of rows of one head.
template <class T>
struct Block {
  const AttentionJob<T>& job;
  size_t batch, head, first, count;
  T* scores;
  void* scratch;
  core::ThreadPool& pool;

  void run() const noexcept {
    multiply_keys();
    publish(ScoreOutput::kProduct);
    if (job.softcap > 0) {
      for (size_t i = 0; i < count * job.shape.keys(); ++i) scores[i] = job.softcap * std::tanh(scores[i] / job.softcap);
    }
    publish(ScoreOutput::kCapped);
    for (size_t i = 0; i < count; ++i) mask(first + i, scores + i * job.shape.keys());
    publish(ScoreOutput::kMasked);
    for (size_t i = 0; i < count; ++i) softmax_row(job.shape.keys(), job.wide_softmax, scores + i * job.shape.keys(), pool);
    publish(ScoreOutput::kProbability);
    multiply_values();
  }

 private:
  void multiply_keys() const noexcept {
    const AttentionShape& s = job.shape;
    const size_t key_head = s.key_head(head);
    const StridedMatrix<T> rows = {job.query.at(batch, head) + first * job.query.row_stride, static_cast<ptrdiff_t>(job.query.row_stride),
                                   1};
    const auto piece = [&](const HeadView<const T>& keys, size_t size, T* to) {
      if (size == 0) return;
      const StridedMatrix<T> transposed = {keys.at(batch, key_head), 1, static_cast<ptrdiff_t>(keys.row_stride)};
      serial_product<T>({count, size, s.head_size}, job.scale, rows, transposed, false, to, s.keys(), scratch, pool);
    };
    piece(job.past_key, s.past, scores);
    piece(job.key, s.fresh, scores + s.past);
  }

  void multiply_values() const noexcept {
    const AttentionShape& s = job.shape;
    const size_t key_head = s.key_head(head);
    T* to = job.out.at(batch, head) + first * job.out.row_stride;
    const auto stride = static_cast<ptrdiff_t>(s.keys());
    const auto piece = [&](const HeadView<const T>& values, size_t size, const T* weights, bool add) {
      const StridedMatrix<T> matrix = {size == 0 ? nullptr : values.at(batch, key_head), static_cast<ptrdiff_t>(values.row_stride), 1};
      serial_product<T>({count, s.value_size, size}, T{1}, {weights, stride, 1}, matrix, add, to, job.out.row_stride, scratch, pool);
    };
    if (s.past > 0) piece(job.past_value, s.past, scores, false);
    if (s.fresh > 0 || s.past == 0) piece(job.value, s.fresh, scores + s.past, s.past > 0);
  }

  void mask(size_t row, T* values) const noexcept {
    constexpr T kHidden = -std::numeric_limits<T>::infinity();
    const AttentionShape& s = job.shape;
    if (job.add_bias) job.add_bias(job.bias_context, batch, head, row, values);
    if (job.causal) std::fill(values + std::min(s.past + row + 1, s.keys()), values + s.keys(), kHidden);
    if (job.valid_keys) {
      const auto valid = static_cast<size_t>(std::max<int64_t>(job.valid_keys[batch], 0));
      std::fill(values + std::min(valid, s.keys()), values + s.keys(), kHidden);
    }
  }

  void publish(ScoreOutput stage) const noexcept {
    if (!job.scores || job.score_output != stage) return;
    const size_t row = (batch * job.shape.query_heads + head) * job.shape.queries + first;
    std::copy(scores, scores + count * job.shape.keys(), job.scores + row * job.shape.keys());
  }
};

}  // namespace

template <class T>
size_t attention_scratch_bytes(const AttentionShape& shape, int threads) noexcept {
  return task_bytes<T>(shape) * static_cast<size_t>(threads);
}

template <class T>
void attention(const AttentionJob<T>& job, void* scratch, core::ThreadPool& pool) noexcept {
  const AttentionShape& s = job.shape;
  const size_t blocks = (s.queries + kRows - 1) / kRows, bytes = task_bytes<T>(s);
  pool.for_each_with_thread(s.batch * s.query_heads * blocks, [&](size_t task, size_t thread) {
    std::byte* memory = static_cast<std::byte*>(scratch) + thread * bytes;
    const size_t first = task % blocks * kRows, matrix = task / blocks;
    const Block<T> block = {job,
                            matrix / s.query_heads,
                            matrix % s.query_heads,
                            first,
                            std::min(kRows, s.queries - first),
                            reinterpret_cast<T*>(memory),
                            memory + core::align_up(kRows * s.keys() * sizeof(T)),
                            pool};
    block.run();
  });
}

template size_t attention_scratch_bytes<float>(const AttentionShape&, int) noexcept;
template size_t attention_scratch_bytes<double>(const AttentionShape&, int) noexcept;
template void attention<float>(const AttentionJob<float>&, void*, core::ThreadPool&) noexcept;
template void attention<double>(const AttentionJob<double>&, void*, core::ThreadPool&) noexcept;

}  // namespace sardonyx::kernels
