// Hardmax: 1 at the greatest element of a line, 0 elsewhere. Until opset 12 all dimensions from the axis on count as one.
#include <algorithm>

#include "core/interrupt.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/lines/lines.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

// The first of equal elements has the 1; NaN is greater than all.
template <class Acc>
void hardmax_row(DType dtype, size_t size, const std::byte* x, std::byte* y) noexcept {
  const LoadRun<Acc> load = load_run<Acc>(dtype);
  const StoreRun<Acc> store = store_run<Acc>(dtype);
  const size_t bytes = static_cast<size_t>(bit_width(dtype)) / 8;
  Acc values[kRunLength];
  Acc best{};
  size_t where = 0;
  core::in_pieces(size, kRunLength, [&](size_t first, size_t count) {
    load(x + first * bytes, 1, count, values);
    if (first == 0) best = values[0];
    for (size_t i = 0; i < count; ++i) {
      const bool wins = values[i] > best || (values[i] != values[i] && best == best);
      if (wins) best = values[i], where = first + i;
    }
  });
  core::in_pieces(size * bytes, size_t{1} << 20, [&](size_t first, size_t count) { std::fill_n(y + first, count, std::byte{0}); });
  const Acc one = 1;
  store(&one, 1, y + where * bytes);
}

}  // namespace

std::unique_ptr<Prepared> prepare_hardmax(const PrepareContext& context) {
  const bool old = context.opset < 13;
  return make_prepared([old, axis = model::get_int(context.node, "axis", old ? 1 : -1)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    require_dtype(x, kFloats, "input");
    return with_accumulator(x.dtype, [&]<class Acc>() {
      return bind_rows(output(x.dtype, x.shape), lines_along(x.shape, axis, old),
                       each_row(x.dtype, [dtype = x.dtype](size_t size, const std::byte* from, std::byte* to) {
                         hardmax_row<Acc>(dtype, size, from, to);
                       }));
    });
  });
}

}  // namespace sardonyx::ops
