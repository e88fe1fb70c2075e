// Trilu: one triangle of matrices, zeros elsewhere.
#include <algorithm>

#include "ops/movement/element.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

template <class T>
void keep_triangle(bool upper, int64_t k, size_t columns, const RunContext& r) {
  const size_t rows = to_size(r.inputs[0].shape().rbegin()[1]);
  const T* from = static_cast<const T*>(r.inputs[0].raw());
  T* to = static_cast<T*>(r.outputs[0].mutable_raw());
  r.pool.for_ranges(to_size(r.inputs[0].numel()) / columns, std::max<size_t>(1, 8192 / columns), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      // The diagonal's column, within [0, columns]; k was clamped, so that nothing overflows.
      const size_t edge = to_size(std::clamp<int64_t>(to_int(row % rows) + k + (upper ? 0 : 1), 0, to_int(columns)));
      const T* x = from + row * columns;
      T* y = to + row * columns;
      std::copy(upper ? x + edge : x, upper ? x + columns : x + edge, upper ? y + edge : y);
      std::fill(upper ? y : y + edge, upper ? y + edge : y + columns, T{});
    }
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_trilu(const PrepareContext& context) {
  return make_prepared([upper = model::get_int(context.node, "upper", 1) != 0](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    element_bytes(x.dtype);
    if (x.shape.size() < 2) throw argument_error("input has shape {}; it must have at least two dimensions", to_string(x.shape));
    if (const ValueFacts* k = optional(b, 1)) {
      require_dtype(*k, {DType::kInt64, DType::kInt32}, "k");
      if (element_count(k->shape) != 1) throw argument_error("k has shape {}; it must be one number", to_string(k->shape));
    }
    return make_bound(output(x.dtype, x.shape), [upper](const RunContext& r) {
      if (r.outputs[0].numel() == 0) return;
      const Shape& shape = r.inputs[0].shape();
      const Tensor* k = optional(r, 1);
      const int64_t diagonal = std::clamp(k ? IndexView(*k)[0] : 0, -shape.rbegin()[1], shape.back());
      with_element(r.inputs[0].dtype(), [&]<class T>() { keep_triangle<T>(upper, diagonal, to_size(shape.back()), r); });
    });
  });
}

}  // namespace sardonyx::ops
