// CumSum and CumProd: running sums and products along an axis, each element rounded once.
#include <type_traits>

#include "core/interrupt.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/lines/lines.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

struct ScanSpec {
  bool product = false;
  bool exclusive = false;  // an element's own value does not count
  bool reverse = false;
};

template <class Acc>
Acc join(bool product, Acc a, Acc b) noexcept {
  if constexpr (std::is_integral_v<Acc>) {  // wraps around
    const auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
    return static_cast<Acc>(product ? x * y : x + y);
  } else {
    return product ? a * b : a + b;
  }
}

// One row, in parts that fit the buffer; x may be y.
template <class Acc>
void scan_row(const ScanSpec& spec, DType dtype, size_t size, const std::byte* x, std::byte* y) noexcept {
  const LoadRun<Acc> load = load_run<Acc>(dtype);
  const StoreRun<Acc> store = store_run<Acc>(dtype);
  const size_t bytes = static_cast<size_t>(bit_width(dtype)) / 8;
  Acc values[kRunLength];
  Acc total = spec.product ? Acc{1} : Acc{0};
  core::in_pieces(size, kRunLength, [&](size_t done, size_t count) {
    const size_t first = (spec.reverse ? size - done - count : done) * bytes;
    load(x + first, 1, count, values);
    for (size_t i = 0; i < count; ++i) {
      Acc& value = values[spec.reverse ? count - 1 - i : i];
      const Acc next = join(spec.product, total, value);
      value = spec.exclusive ? total : next;
      total = next;
    }
    store(values, count, y + first);
  });
}

std::unique_ptr<Bound> bind_scan(const ScanSpec& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "x");
  require_dtype(x, kNumbers, "x");
  const std::vector<int64_t> axis = integer_values(required(b, 1, "axis"), "axis");
  if (axis.size() != 1) throw argument_error("axis has {} elements; it must be one number", axis.size());
  const Lines lines = lines_of(x.shape, checked_axis(axis[0], x.shape.size()));
  return with_accumulator(x.dtype, [&]<class Acc>() {
    return bind_rows(output(x.dtype, x.shape), lines,
                     each_row(x.dtype, [spec, dtype = x.dtype](size_t size, const std::byte* from, std::byte* to) {
                       scan_row<Acc>(spec, dtype, size, from, to);
                     }));
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_scan(const PrepareContext& context) {
  const ScanSpec spec = {.product = context.node.op_type == "CumProd",
                         .exclusive = model::get_int(context.node, "exclusive", 0) != 0,
                         .reverse = model::get_int(context.node, "reverse", 0) != 0};
  return make_value_driven(make_prepared([spec](const BindContext& b) { return bind_scan(spec, b); }),
                           {.value_inputs = 0b10, .output_types = {}});
}

}  // namespace sardonyx::ops
