// MeanVarianceNormalization: to mean 0 and variance 1 over chosen axes, which are brought to the end if they are not there.
#include <numeric>

#include "core/arena.h"
#include "ops/facts.h"
#include "ops/movement/strided.h"
#include "ops/norm/row_norm.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

constexpr float kEpsilon = 1e-9f;

// The view of X whose last dimensions are the chosen ones.
StridedView chosen_last(const Shape& x, const std::vector<bool>& chosen) {
  const StridedView view = contiguous_view(x);
  StridedView result;
  for (const bool wanted : {false, true}) {
    for (size_t i = 0; i < x.size(); ++i) {
      if (chosen[i] != wanted) continue;
      result.shape.push_back(x[i]);
      result.stride.push_back(view.stride[i]);
    }
  }
  return result;
}

RowNorm chosen_rows(const Shape& x, const std::vector<bool>& chosen) {
  RowNorm norm;
  norm.epsilon = kEpsilon;
  norm.epsilon_outside_root = true;
  norm.index.repeat = std::numeric_limits<size_t>::max();  // the scale 1 and the shift 0 serve for all
  for (size_t i = 0; i < x.size(); ++i) (chosen[i] ? norm.size : norm.rows) *= to_size(x[i]);
  return norm;
}

std::unique_ptr<Bound> bind_mean_variance(const std::vector<int64_t>& axes, const ValueFacts& x) {
  const std::vector<bool> chosen = checked_axes(axes, x.shape.size());
  ValueFacts y = output(x.dtype, x.shape);
  if (element_count(x.shape) == 0) return make_bound(std::move(y), [](const RunContext&) {});
  const RowNorm norm = chosen_rows(x.shape, chosen);
  const StridedView mixed = chosen_last(x.shape, chosen), plain = contiguous_view(mixed.shape);
  const StridedMove there(mixed, plain, x.dtype), back(plain, mixed, x.dtype);
  const size_t norm_bytes = core::align_up(row_norm_scratch(norm));
  auto bound = make_bound(std::move(y), [norm, there, back, norm_bytes, dtype = x.dtype](const RunContext& r) {
    std::byte* rows = r.scratch + norm_bytes;
    there.run(r.inputs[0].raw(), rows, r.pool);
    run_row_norm(norm, {dtype, dtype, rows, rows}, r.scratch, r.pool);
    back.run(rows, r.outputs[0].mutable_raw(), r.pool);
  });
  bound->scratch_bytes = norm_bytes + to_size(element_count(x.shape)) * element_bytes(x.dtype);
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_mean_variance_norm(const PrepareContext& context) {
  return make_prepared([axes = model::get_ints(context.node, "axes", {0, 2, 3})](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kFloats, "X");
    return bind_mean_variance(axes, x);
  });
}

}  // namespace sardonyx::ops
