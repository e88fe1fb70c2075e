// ArgMax and ArgMin of any number type.
#include <algorithm>

#include "core/interrupt.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/lines/lines.h"
#include "ops/reduce/reduce.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Whether `value` takes the place of `best`, which came before it. The first NaN wins over all.
template <class Acc>
bool wins(const ArgSpec& spec, Acc value, Acc best) noexcept {
  if (best != best) return false;
  if (value != value) return true;
  if (value == best) return spec.last_index;
  return spec.least ? value < best : value > best;
}

template <class Acc>
int64_t find_best(const ArgSpec& spec, LoadRun<Acc> load, const std::byte* line, size_t bytes, const Lines& lines) noexcept {
  Acc values[kRunLength];
  Acc best{};
  size_t where = 0;
  core::in_pieces(lines.size, kRunLength, [&](size_t first, size_t count) {
    load(line + first * lines.inner * bytes, static_cast<ptrdiff_t>(lines.inner), count, values);
    if (first == 0) best = values[0];
    for (size_t i = first == 0 ? 1 : 0; i < count; ++i) {
      if (!wins(spec, values[i], best)) continue;
      best = values[i];
      where = first + i;
    }
  });
  return static_cast<int64_t>(where);
}

template <class Acc>
void run_arg(const ArgSpec& spec, const Lines& lines, const RunContext& r) {
  const Tensor& x = r.inputs[0];
  const LoadRun<Acc> load = load_run<Acc>(x.dtype());
  const size_t bytes = element_bytes(x.dtype());
  const auto* data = static_cast<const std::byte*>(x.raw());
  const std::span<int64_t> y = r.outputs[0].mutable_values<int64_t>();
  r.pool.for_ranges(y.size(), std::max<size_t>(1, 8192 / lines.size), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      y[i] = find_best<Acc>(spec, load, data + lines.start(i) * bytes, bytes, lines);
    }
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_arg(const PrepareContext& context) {
  return make_prepared([spec = arg_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "data");
    require_dtype(x, kNumbers, "data");
    const size_t axis = checked_axis(spec.axis, x.shape.size());
    if (x.shape[axis] == 0) throw argument_error("axis {} of shape {} is empty", axis, to_string(x.shape));
    std::vector<bool> reduced(x.shape.size());
    reduced[axis] = true;
    const Lines lines = lines_of(x.shape, axis);
    return make_bound(output(DType::kInt64, reduced_shape(x.shape, reduced, spec.keep_dims)), [spec, lines](const RunContext& r) {
      if (r.outputs[0].numel() == 0) return;
      with_accumulator(r.inputs[0].dtype(), [&]<class Acc>() { run_arg<Acc>(spec, lines, r); });
    });
  });
}

}  // namespace sardonyx::ops
