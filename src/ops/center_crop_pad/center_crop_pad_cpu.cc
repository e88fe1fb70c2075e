// CenterCropPad: the middle of the axes that are too long, zeros on both sides of those that are too short.
#include <algorithm>
#include <optional>

#include "ops/movement/element.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

std::vector<size_t> cropped_axes(const std::optional<std::vector<int64_t>>& attribute, size_t rank) {
  std::vector<size_t> axes;
  if (!attribute) {
    for (size_t i = 0; i < rank; ++i) axes.push_back(i);
    return axes;
  }
  checked_axes(*attribute, rank);
  for (const int64_t axis : *attribute) axes.push_back(checked_axis(axis, rank));
  return axes;
}

std::unique_ptr<Bound> bind_center(const std::optional<std::vector<int64_t>>& attribute, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "input_data");
  const std::vector<size_t> axes = cropped_axes(attribute, x.shape.size());
  const std::vector<int64_t> wanted = integer_values(required(b, 1, "shape"), "shape");
  if (wanted.size() != axes.size()) throw argument_error("shape has {} sizes for {} axes", wanted.size(), axes.size());
  Shape out = x.shape, kept = x.shape;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (wanted[i] < 0) throw argument_error("shape asks for size {} of axis {}; sizes must be at least 0", wanted[i], axes[i]);
    out[axes[i]] = wanted[i];
    kept[axes[i]] = std::min(wanted[i], x.shape[axes[i]]);
  }
  ValueFacts y = output(x.dtype, out);
  if (element_count(out) == 0) return make_bound(std::move(y), [](const RunContext&) {});
  StridedView from = contiguous_view(x.shape), to = contiguous_view(out);
  for (const size_t axis : axes) {
    const int64_t difference = x.shape[axis] - out[axis];
    if (difference > 0) from.advance(axis, difference / 2);
    if (difference < 0) to.advance(axis, -difference / 2);
  }
  from.shape = to.shape = kept;
  const StridedMove move(from, to, x.dtype);
  return make_bound(std::move(y), [move](const RunContext& r) {
    with_element(r.outputs[0].dtype(),
                 [&]<class T>() { std::fill_n(static_cast<T*>(r.outputs[0].mutable_raw()), r.outputs[0].numel(), T{}); });
    move.run(r.inputs[0].raw(), r.outputs[0].mutable_raw(), r.pool);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_center_crop_pad(const PrepareContext& context) {
  std::optional<std::vector<int64_t>> axes;
  if (context.node.find_attribute("axes")) axes = model::get_ints(context.node, "axes");
  return make_value_driven(make_prepared([axes](const BindContext& b) { return bind_center(axes, b); }),
                           {.value_inputs = 0b10, .output_types = {}});
}

}  // namespace sardonyx::ops
