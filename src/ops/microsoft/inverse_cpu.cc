// Inverse of com.microsoft: the inverses of square matrices, by elimination in double.
#include <algorithm>
#include <atomic>

#include "core/arena.h"
#include "kernels/cpu/elimination/elimination.h"
#include "ops/det/det.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct InverseStep {
  DType dtype;
  size_t count, n;
  size_t matrix_bytes;  // of scratch

  void run(const RunContext& r) const {
    const LoadRun<double> load = load_run<double>(dtype);
    const StoreRun<double> store = store_run<double>(dtype);
    const size_t bytes = n * n * element_bytes(dtype);
    const auto* from = static_cast<const std::byte*>(r.inputs[0].raw());
    auto* to = static_cast<std::byte*>(r.outputs[0].mutable_raw());
    std::atomic<size_t> first_singular = count;
    r.pool.for_each_with_thread(count, [&](size_t i, size_t thread) {
      auto* matrix = reinterpret_cast<double*>(r.scratch + 2 * thread * matrix_bytes);
      auto* inverse = reinterpret_cast<double*>(r.scratch + (2 * thread + 1) * matrix_bytes);
      load(from + i * bytes, 1, n * n, matrix);
      std::fill_n(inverse, n * n, 0.0);
      for (size_t k = 0; k < n; ++k) inverse[k * n + k] = 1;
      if (kernels::eliminate(matrix, n, inverse, n) == 0) {
        for (size_t known = first_singular; i < known && !first_singular.compare_exchange_weak(known, i);) {
        }
        return;
      }
      kernels::substitute_back(matrix, n, inverse, n);
      store(inverse, n * n, to + i * bytes);
    });
    if (first_singular < count) throw argument_error("matrix {} of X is singular: it has no inverse", first_singular.load());
  }
};

}  // namespace

std::unique_ptr<Prepared> prepare_inverse(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts& x = square_matrices(b);
    ValueFacts y = output(x.dtype, x.shape);
    InverseStep step{.dtype = x.dtype, .count = 0, .n = to_size(x.shape.back()), .matrix_bytes = 0};
    if (element_count(x.shape) != 0) {
      step.count = span_count(x.shape, 0, x.shape.size() - 2);
      step.matrix_bytes = core::align_up(step.n * step.n * sizeof(double));
    }
    auto bound = make_bound(std::move(y), [step](const RunContext& r) { step.run(r); });
    bound->scratch_bytes = 2 * step.matrix_bytes * static_cast<size_t>(b.threads);
    const auto n = static_cast<double>(step.n);
    bound->flops = 2 * n * n * n * static_cast<double>(step.count);
    return bound;
  });
}

}  // namespace sardonyx::ops
