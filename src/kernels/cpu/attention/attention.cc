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

// Queries of one task: keys and values are packed anew for each, so as many as have scores that stay in a core's cache.
constexpr size_t kLeastRows = 32, kMostRows = 128, kScoresInCache = size_t{1} << 16;

size_t rows_of_task(const AttentionShape& s) noexcept {
  return std::clamp(kScoresInCache / std::max<size_t>(s.keys(), 1) / kLeastRows * kLeastRows, kLeastRows, kMostRows);
}

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
  for (const size_t rows : {std::min(rows_of_task(s), s.queries), s.queries % rows_of_task(s)}) {
    const auto bytes = [rows](size_t n, size_t k) { return serial_product_scratch_bytes<T>({rows, n, k}); };
    most = std::max(
        {most, bytes(s.past, s.head_size), bytes(s.fresh, s.head_size), bytes(s.value_size, s.past), bytes(s.value_size, s.fresh)});
  }
  return core::align_up(most);
}

// Scores of a block, with a column for the sink behind the keys.
template <class T>
size_t score_bytes(const AttentionShape& s) noexcept {
  return core::align_up(rows_of_task(s) * (s.keys() + 1) * sizeof(T));
}
template <class T>
size_t task_bytes(const AttentionShape& s) noexcept {
  return score_bytes<T>(s) + product_bytes<T>(s);
}

// Keys [first, last).
struct KeyRange {
  size_t first, last;
  size_t size() const noexcept { return last > first ? last - first : 0; }
  // Those of them that lie in [begin, begin + count), counted from `begin`.
  KeyRange within(size_t begin, size_t count) const noexcept {
    const auto local = [&](size_t key) { return std::min(key - std::min(key, begin), count); };
    return {local(first), local(last)};
  }
};

// One block of rows of one head.
template <class T>
class Block {
 public:
  Block(const AttentionJob<T>& job, size_t matrix, size_t first, void* memory, core::ThreadPool& pool)
      : job_(job),
        shape_(job.shape),
        batch_(matrix / job.shape.query_heads),
        head_(matrix % job.shape.query_heads),
        first_(first),
        count_(std::min(rows_of_task(job.shape), job.shape.queries - first)),
        stride_(job.shape.keys() + (job.sinks ? 1 : 0)),
        keys_(keys_of_block()),
        scores_(static_cast<T*>(memory)),
        scratch_(static_cast<std::byte*>(memory) + score_bytes<T>(job.shape)),
        pool_(pool) {}

  void run() const noexcept {
    multiply_keys();
    publish(ScoreOutput::kProduct);
    if (job_.softcap > 0) {
      each_row([&](size_t, T* row) {
        for (size_t j = keys_.first; j < keys_.last; ++j) row[j] = job_.softcap * std::tanh(row[j] / job_.softcap);
      });
    }
    publish(ScoreOutput::kCapped);
    each_row([&](size_t i, T* row) { mask(first_ + i, row); });
    publish(ScoreOutput::kMasked);
    each_row([&](size_t, T* row) {
      if (job_.sinks) row[keys_.last] = job_.sinks[head_];
      softmax_row(keys_.size() + (job_.sinks ? 1 : 0), job_.wide_softmax, row + keys_.first, pool_);
    });
    publish(ScoreOutput::kProbability);
    multiply_values();
  }

 private:
  template <class Body>
  void each_row(const Body& body) const noexcept {
    for (size_t i = 0; i < count_; ++i) body(i, scores_ + i * stride_);
  }

  // The keys that row `row` may see.
  KeyRange seen_by(size_t row) const noexcept {
    const size_t position = (job_.first_position ? static_cast<size_t>(job_.first_position[batch_]) : shape_.past) + row + 1;
    size_t last = job_.causal ? std::min(position, shape_.keys()) : shape_.keys();
    if (job_.valid_keys) last = std::min(last, static_cast<size_t>(std::max<int64_t>(job_.valid_keys[batch_], 0)));
    const size_t first = job_.causal && job_.window > 0 && position > job_.window ? position - job_.window : 0;
    return {std::min(first, last), last};
  }
  // Those that any row may see: both ends grow with the row. All of them where scores are wanted, or where nothing is to be seen.
  KeyRange keys_of_block() const noexcept {
    const KeyRange seen = {seen_by(first_).first, seen_by(first_ + count_ - 1).last};
    return job_.scores || seen.size() == 0 ? KeyRange{0, shape_.keys()} : seen;
  }

  void multiply_keys() const noexcept {
    const StridedMatrix<T> rows = {job_.query.at(batch_, head_) + first_ * job_.query.row_stride,
                                   static_cast<ptrdiff_t>(job_.query.row_stride), 1};
    const auto piece = [&](const HeadView<const T>& keys, size_t begin, size_t count) {
      const KeyRange part = keys_.within(begin, count);
      if (part.size() == 0) return;
      const StridedMatrix<T> transposed = {keys.at(batch_, shape_.key_head(head_)) + part.first * keys.row_stride, 1,
                                           static_cast<ptrdiff_t>(keys.row_stride)};
      serial_product<T>({count_, part.size(), shape_.head_size}, job_.scale, rows, transposed, false, scores_ + begin + part.first, stride_,
                        scratch_, pool_);
    };
    piece(job_.past_key, 0, shape_.past);
    piece(job_.key, shape_.past, shape_.fresh);
  }

  void multiply_values() const noexcept {
    T* to = job_.out.at(batch_, head_) + first_ * job_.out.row_stride;
    const auto piece = [&](const HeadView<const T>& values, size_t begin, const KeyRange& part, bool add) {
      const T* from = part.size() == 0 ? nullptr : values.at(batch_, shape_.key_head(head_)) + part.first * values.row_stride;
      serial_product<T>({count_, shape_.value_size, part.size()}, T{1}, {scores_ + begin + part.first, static_cast<ptrdiff_t>(stride_), 1},
                        {from, static_cast<ptrdiff_t>(values.row_stride), 1}, add, to, job_.out.row_stride, scratch_, pool_);
    };
    const KeyRange past = keys_.within(0, shape_.past), fresh = keys_.within(shape_.past, shape_.fresh);
    if (past.size() > 0) piece(job_.past_value, 0, past, false);
    if (fresh.size() > 0 || past.size() == 0) piece(job_.value, shape_.past, fresh, past.size() > 0);
  }

  void mask(size_t row, T* scores) const noexcept {
    constexpr T kHidden = -std::numeric_limits<T>::infinity();
    if (job_.add_bias) job_.add_bias(job_.bias_context, batch_, head_, row, keys_.first, keys_.last, scores);
    const KeyRange seen = seen_by(row);
    std::fill(scores + keys_.first, scores + std::max(seen.first, keys_.first), kHidden);
    std::fill(scores + std::max(seen.last, keys_.first), scores + keys_.last, kHidden);
  }

  void publish(ScoreOutput stage) const noexcept {
    if (!job_.scores || job_.score_output != stage) return;
    T* to = job_.scores + ((batch_ * shape_.query_heads + head_) * shape_.queries + first_) * shape_.keys();
    each_row([&](size_t i, const T* row) {
      T* target = to + i * shape_.keys();
      std::copy(row, row + shape_.keys(), target);
      if (stage != ScoreOutput::kMasked) return;
      const KeyRange seen = seen_by(first_ + i);
      std::fill(target, target + seen.first, job_.hidden);
      std::fill(target + seen.last, target + shape_.keys(), job_.hidden);
    });
  }

  const AttentionJob<T>& job_;
  const AttentionShape& shape_;
  size_t batch_, head_, first_, count_;
  size_t stride_;  // of scores
  KeyRange keys_;
  T* scores_;
  void* scratch_;
  core::ThreadPool& pool_;
};

}  // namespace

template <class T>
size_t attention_scratch_bytes(const AttentionShape& shape, int threads) noexcept {
  return task_bytes<T>(shape) * static_cast<size_t>(threads);
}

template <class T>
void attention(const AttentionJob<T>& job, void* scratch, core::ThreadPool& pool) noexcept {
  const AttentionShape& s = job.shape;
  const size_t rows = rows_of_task(s), blocks = (s.queries + rows - 1) / rows, bytes = task_bytes<T>(s);
  pool.for_each_with_thread(s.batch * s.query_heads * blocks, [&](size_t task, size_t thread) {
    void* memory = static_cast<std::byte*>(scratch) + thread * bytes;
    Block<T>(job, task / blocks, task % blocks * rows, memory, pool).run();
  });
}

template size_t attention_scratch_bytes<float>(const AttentionShape&, int) noexcept;
template size_t attention_scratch_bytes<double>(const AttentionShape&, int) noexcept;
template void attention<float>(const AttentionJob<float>&, void*, core::ThreadPool&) noexcept;
template void attention<double>(const AttentionJob<double>&, void*, core::ThreadPool&) noexcept;

}  // namespace sardonyx::kernels
