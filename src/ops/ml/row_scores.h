// The scores of rows on their way out: transformed in double and rounded once.
#pragma once

#include <vector>

#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/ml/post_transform.h"

namespace sardonyx::ops {

// Writes rows of a [rows, columns] tensor of a floating-point type; one for each task.
class RowScores {
 public:
  // `y` null or undefined: nothing is written.
  RowScores(Tensor* y, size_t columns) : columns_(columns) {
    if (!y || !y->defined()) return;
    y_ = static_cast<std::byte*>(y->mutable_raw());
    row_bytes_ = columns * element_bytes(y->dtype());
    store_ = store_run<double>(y->dtype());
    buffer_.resize(columns);
  }

  // `scores` holds one for each column.
  template <class Score>
  void write(size_t row, PostTransform transform, const Score* scores) noexcept {
    if (!y_) return;
    for (size_t i = 0; i < columns_; ++i) buffer_[i] = static_cast<double>(scores[i]);
    transform_scores(transform, buffer_);
    store_(buffer_.data(), columns_, y_ + row * row_bytes_);
  }

  // For two columns.
  void write_pair(size_t row, ScorePair pair) noexcept {
    const double scores[] = {pair.first, pair.second};
    write(row, PostTransform::kNone, scores);
  }

 private:
  size_t columns_, row_bytes_ = 0;
  std::byte* y_ = nullptr;
  StoreRun<double> store_ = nullptr;
  std::vector<double> buffer_;
};

// Output `index`; null where the node leaves it out.
inline Tensor* wanted_output(const RunContext& r, size_t index) {
  return index < r.outputs.size() && r.outputs[index].defined() ? &r.outputs[index] : nullptr;
}

}  // namespace sardonyx::ops
