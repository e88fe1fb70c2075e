// Det: determinants of square matrices, by elimination in double with the largest pivot of each column.
#include "core/arena.h"
#include "kernels/cpu/elimination/elimination.h"
#include "ops/det/det.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Destroys the matrix.
double determinant(double* a, size_t n) noexcept {
  double result = kernels::eliminate(a, n, nullptr, 0);
  for (size_t i = 0; i < n && result != 0; ++i) result *= a[i * n + i];
  return result;
}

}  // namespace

const ValueFacts& square_matrices(const BindContext& context) {
  const ValueFacts& x = required(context, 0, "X");
  require_dtype(x, kFloats, "X");
  const size_t rank = x.shape.size();
  if (rank < 2 || x.shape[rank - 1] != x.shape[rank - 2]) {
    throw argument_error("X has shape {}; its last two dimensions must be equal", to_string(x.shape));
  }
  return x;
}

std::unique_ptr<Prepared> prepare_det(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts& x = square_matrices(b);
    const size_t n = to_size(x.shape.back());
    ValueFacts y = output(x.dtype, Shape(x.shape.begin(), x.shape.end() - 2));
    const size_t bytes = element_count(y.shape) == 0 ? 0 : core::align_up(n * n * sizeof(double));
    auto bound = make_bound(std::move(y), [n, bytes, dtype = x.dtype](const RunContext& r) {
      const LoadRun<double> load = load_run<double>(dtype);
      const StoreRun<double> store = store_run<double>(dtype);
      const size_t element = element_bytes(dtype);
      const auto* from = static_cast<const std::byte*>(r.inputs[0].raw());
      auto* to = static_cast<std::byte*>(r.outputs[0].mutable_raw());
      r.pool.for_each_with_thread(to_size(r.outputs[0].numel()), [&](size_t i, size_t thread) {
        auto* matrix = reinterpret_cast<double*>(r.scratch + thread * bytes);
        load(from + i * n * n * element, 1, n * n, matrix);
        const double value = determinant(matrix, n);
        store(&value, 1, to + i * element);
      });
    });
    bound->scratch_bytes = bytes * static_cast<size_t>(b.threads);
    return bound;
  });
}

}  // namespace sardonyx::ops
