// OneHot: for each index a line that holds the on value at the index and the off value elsewhere.
#include <algorithm>
#include <type_traits>

#include "core/interrupt.h"
#include "ops/elements/elements.h"
#include "ops/movement/element.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

// Where the line of an index has its on value; -1: nowhere.
template <class Acc>
int64_t place_of(Acc index, int64_t depth) noexcept {
  if constexpr (std::is_same_v<Acc, uint64_t>) {
    return index < static_cast<uint64_t>(depth) ? static_cast<int64_t>(index) : -1;
  } else {
    const auto size = static_cast<Acc>(depth);
    if (!(index >= -size && index < size)) return -1;
    const auto whole = static_cast<int64_t>(index);  // truncated
    return whole < 0 ? whole + depth : whole;
  }
}

struct OneHotGeometry {
  size_t inner = 1;  // indices behind the new axis
  int64_t depth = 0;
  Shape out;
};

template <class T, class Acc>
void run_one_hot(const OneHotGeometry& g, const RunContext& r) {
  const Tensor& indices = r.inputs[0];
  const T* values = static_cast<const T*>(r.inputs[2].raw());
  T* to = static_cast<T*>(r.outputs[0].mutable_raw());
  core::in_pieces(to_size(r.outputs[0].numel()), size_t{1} << 17,
                  [&](size_t first, size_t count) { std::fill_n(to + first, count, values[0]); });
  const LoadRun<Acc> load = load_run<Acc>(indices.dtype());
  const auto* from = static_cast<const std::byte*>(indices.raw());
  const size_t bytes = element_bytes(indices.dtype());
  core::InterruptCounter interrupt;
  for (size_t i = 0; i < to_size(indices.numel()); ++i) {
    interrupt.step();
    Acc index{};
    load(from + i * bytes, 1, 1, &index);
    const int64_t place = place_of(index, g.depth);
    if (place >= 0) to[(i / g.inner * to_size(g.depth) + to_size(place)) * g.inner + i % g.inner] = values[1];
  }
}

int64_t depth_value(const BindContext& b) {
  const ValueFacts& depth = required(b, 1, "depth");
  require_dtype(depth, kNumbers, "depth");
  if (element_count(depth.shape) != 1) throw argument_error("depth has shape {}; it must be one number", to_string(depth.shape));
  const int64_t value = depth.constant->to(DType::kInt64).item<int64_t>();
  if (value < 0) throw argument_error("depth is {}; it must be at least 0", value);
  return value;
}

std::unique_ptr<Bound> bind_one_hot(int64_t axis_attribute, const BindContext& b) {
  const ValueFacts& indices = required(b, 0, "indices");
  const ValueFacts& values = required(b, 2, "values");
  require_dtype(indices, kNumbers, "indices");
  if (values.shape != Shape{2}) throw argument_error("values have shape {}; they must be [off, on]", to_string(values.shape));
  const size_t rank = indices.shape.size(), axis = checked_axis(axis_attribute, rank + 1);
  OneHotGeometry geometry = {span_count(indices.shape, axis, rank), depth_value(b), indices.shape};
  geometry.out.insert(geometry.out.begin() + to_int(axis), geometry.depth);
  return make_bound(output(values.dtype, geometry.out), [geometry](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    with_element(r.inputs[2].dtype(),
                 [&]<class T>() { with_accumulator(r.inputs[0].dtype(), [&]<class Acc>() { run_one_hot<T, Acc>(geometry, r); }); });
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_one_hot(const PrepareContext& context) {
  return make_value_driven(
      make_prepared([axis = model::get_int(context.node, "axis", -1)](const BindContext& b) { return bind_one_hot(axis, b); }),
      {.value_inputs = 0b10, .output_types = [](const BindContext& b) { return std::vector{required(b, 2, "values").dtype}; }});
}

}  // namespace sardonyx::ops
