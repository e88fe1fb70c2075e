// Where: elements of X or Y as a condition tells, with broadcasting of all three, of any element type of whole bytes.
#include <algorithm>

#include "ops/facts.h"
#include "ops/movement/element.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct WhereStep {
  StridedView condition, x, y;  // all of the result's shape

  template <class T>
  void run(const RunContext& r) const {
    const bool* chosen = r.inputs[0].values<bool>().data();
    const auto* from_x = static_cast<const T*>(r.inputs[1].raw());
    const auto* from_y = static_cast<const T*>(r.inputs[2].raw());
    auto* to = static_cast<T*>(r.outputs[0].mutable_raw());
    const size_t rank = x.shape.size();
    const size_t inner = rank == 0 ? 1 : to_size(x.shape[rank - 1]);
    if (r.outputs[0].numel() == 0) return;
    const size_t rows = to_size(r.outputs[0].numel()) / inner;
    const auto step = [&](const StridedView& view) { return rank == 0 ? 0 : view.stride[rank - 1]; };
    const ptrdiff_t condition_step = step(condition), x_step = step(x), y_step = step(y);
    r.pool.for_ranges(rows, std::max<size_t>(1, 8192 / inner), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        ptrdiff_t c = condition.offset(row * inner), a = x.offset(row * inner), b = y.offset(row * inner);
        for (size_t i = 0; i < inner; ++i, c += condition_step, a += x_step, b += y_step) {
          to[row * inner + i] = chosen[c] ? from_x[a] : from_y[b];
        }
      }
    });
  }
};

}  // namespace

std::unique_ptr<Prepared> prepare_where(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts& condition = required(b, 0, "condition");
    const ValueFacts& x = required(b, 1, "X");
    const ValueFacts& y = required(b, 2, "Y");
    require_dtype(condition, {DType::kBool}, "condition");
    require_same_dtype(x, y, "X", "Y");
    const Shape out = broadcast(broadcast(condition.shape, x.shape), y.shape);
    element_bytes(x.dtype);
    const WhereStep step = {broadcast_view(condition.shape, out), broadcast_view(x.shape, out), broadcast_view(y.shape, out)};
    return make_bound(output(x.dtype, out),
                      [step, dtype = x.dtype](const RunContext& r) { with_element(dtype, [&]<class T>() { step.run<T>(r); }); });
  });
}

}  // namespace sardonyx::ops
