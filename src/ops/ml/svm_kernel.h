// The kernel values of rows and support vectors: linear, polynomial, radial or sigmoid.
#pragma once

#include <vector>

#include "ops/ml/rows.h"

namespace sardonyx::ops {

class SvmKernel {
 public:
  // Reads kernel_type, kernel_params and support_vectors. Throws InvalidModel unless the latter divide by `vectors`, which is not 0 and
  // follows from the attribute `source`.
  SvmKernel(const model::Node& node, size_t vectors, std::string_view source);

  size_t vectors() const noexcept { return vectors_; }
  size_t features() const noexcept { return features_; }

  // Rows that are worked on together; scratch for one thread that does so.
  size_t block_rows() const noexcept;
  size_t block_bytes() const noexcept;

  // The values [rows, vectors] of at most block_rows() rows, which lie in `scratch`. Runs on the calling thread.
  const float* values(size_t rows, const float* x, std::byte* scratch, core::ThreadPool& pool) const noexcept;

 private:
  enum class Kind { kLinear, kPoly, kRbf, kSigmoid };

  void powers(float* values, size_t count) const noexcept;

  Kind kind_ = Kind::kLinear;
  size_t vectors_, features_ = 0;
  float gamma_ = 0, coef0_ = 0, degree_ = 0;
  std::vector<float> packed_;
};

// Scratch of each_svm_block().
size_t svm_scratch_bytes(const SvmKernel& kernel, const ValueFacts& x, int threads);

// Rows of x as blocks of the kernel, in parallel: calls use(first row, rows, values [rows, vectors]).
template <class Use>
void each_svm_block(const SvmKernel& kernel, const Rows& rows, const RunContext& r, const Use& use) {
  const size_t block = kernel.block_rows(), per_thread = kernel.block_bytes();
  std::byte* buffers = r.scratch + per_thread * static_cast<size_t>(r.pool.threads());
  const float* x = elements_as<float>(r.inputs[0], buffers, r.pool);
  r.pool.for_each_with_thread((rows.count + block - 1) / block, [&](size_t task, size_t thread) {
    const size_t first = task * block, count = std::min(block, rows.count - first);
    use(first, count, kernel.values(count, x + first * rows.features, r.scratch + thread * per_thread, r.pool));
  });
}

}  // namespace sardonyx::ops
