// Operators that make axes longer or shorter: Pad, CenterCropPad, Expand, Tile.
#include <fmt/format.h>

#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
// `pads` was called `paddings` in version 1, and is an input since version 11.
std::optional<Dims> pad_amounts(const NodeContext& context) {
  constexpr int kPadsAreInput = 11;
  if (context.version() >= kPadsAreInput) return elements_or_unknown(context, 1);
  const std::string_view name = context.version() == 1 ? "paddings" : "pads";
  const std::optional<std::vector<int64_t>> pads = context.ints_attribute(name);
  if (!pads) context.fail(fmt::format("attribute '{}' is missing", name));
  return Dims(pads->begin(), pads->end());
}

Dim padded(const NodeContext& context, Dim size, Dim before, Dim after) {
  const Dim amount = add(before, after);
  if (amount.is_unknown()) return {};
  const Dim result = add(size, amount);
  if (result.is_known() && result.value() < 0) {
    context.fail(fmt::format("pads of {} and {} leave nothing of a size of {}", before.value(), after.value(), size.value()));
  }
  return result.is_symbol() && amount.is_symbol() ? Dim() : result;
}
}  // namespace

void infer_pad(NodeContext& context) {
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const ListOperand given = list_input(context, 3);
  const std::optional<Dims> pads = pad_amounts(context);
  if (given.is_given && !given.values) {
    context.set_shape(0, Dims(dims->size()));
    return;
  }
  const std::vector<size_t> axes = given.values ? resolve_distinct_axes(context, *given.values, dims->size()) : all_axes(dims->size());
  if (pads && pads->size() != 2 * axes.size() && !(given.values && axes.empty())) {
    context.fail(fmt::format("'pads' has {} elements, {} axes need {}", pads->size(), axes.size(), 2 * axes.size()));
  }
  Dims result = *dims;
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& size = result[axes[i]];
    size = pads ? padded(context, size, (*pads)[i], (*pads)[axes.size() + i]) : Dim();
  }
  context.set_shape(0, std::move(result));
}

void infer_center_crop_pad(NodeContext& context) {
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const std::optional<std::vector<int64_t>> given = context.ints_attribute("axes");
  const std::vector<size_t> axes = given ? resolve_distinct_axes(context, *given, dims->size()) : all_axes(dims->size());
  const std::optional<Dims> sizes = shape_operand(context, 1, "shape");
  if (sizes && sizes->size() != axes.size()) {
    context.fail(fmt::format("input 1 ('shape') has {} sizes for {} axes", sizes->size(), axes.size()));
  }
  Dims result = *dims;
  for (size_t i = 0; i < axes.size(); ++i) {
    const Dim size = sizes ? (*sizes)[i] : Dim();
    if (size.is_known() && size.value() < 0) context.fail(fmt::format("input 1 ('shape') has the negative size {}", size.value()));
    result[axes[i]] = size;
  }
  context.set_shape(0, std::move(result));
}

// Expand: broadcasts to the shape, which may also be smaller.
void infer_expand(NodeContext& context) {
  const Dims* dims = context.shape(0);
  const std::optional<Dims> target = shape_operand(context, 1, "shape");
  if (dims == nullptr || !target) return;
  Dims result = broadcast(context, *dims, *target);
  for (Dim& dim : result) {
    if (dim.is_known() && dim.value() < 0) dim = Dim();
  }
  const bool is_vector = result.size() <= 1;
  const Dim count = product(result);
  context.set_shape(0, std::move(result));
  const std::optional<Dims> elements = elements_of(context, 0);
  if (!is_vector || !elements || !count.is_known() || static_cast<uint64_t>(count.value()) > kMaxElements) return;
  const auto size = static_cast<size_t>(count.value());
  if (elements->size() != 1 && elements->size() != size) return;
  Dims repeated(size);
  for (size_t i = 0; i < size; ++i) repeated[i] = broadcast_element(*elements, i);
  put_elements(context, 0, std::move(repeated));
}

namespace {
// Version 1 repeats along one axis that an input names.
void tile_one_axis(NodeContext& context, const Dims& dims) {
  const Dim tiles = scalar_operand(context, 1), axis = scalar_operand(context, 2);
  if (!axis.is_known()) {
    context.set_shape(0, Dims(dims.size()));
    return;
  }
  Dims result = dims;
  Dim& size = result[context.axis(axis.value(), dims.size())];
  size = tiles.is_known() && tiles.value() < 0 ? Dim() : multiply(size, tiles);
  context.set_shape(0, std::move(result));
}

void tile_elements(NodeContext& context, Dim repeats) {
  const std::optional<Dims> elements = elements_of(context, 0);
  if (!elements || !repeats.is_known() || elements->empty()) return;
  if (static_cast<uint64_t>(repeats.value()) > kMaxElements / elements->size()) return;
  Dims result;
  for (int64_t i = 0; i < repeats.value(); ++i) result.insert(result.end(), elements->begin(), elements->end());
  put_elements(context, 0, std::move(result));
}
}  // namespace

void infer_tile(NodeContext& context) {
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  if (context.version() == 1) {
    tile_one_axis(context, *dims);
    return;
  }
  const std::optional<Dims> repeats = shape_operand(context, 1, "repeats");
  if (!repeats) {
    context.set_shape(0, Dims(dims->size()));
    return;
  }
  context.expect_rank(1, 1, "repeats");
  if (repeats->size() != dims->size()) {
    context.fail(fmt::format("input 1 ('repeats') has {} elements, the input has rank {}", repeats->size(), dims->size()));
  }
  Dims result = *dims;
  for (size_t i = 0; i < result.size(); ++i) {
    const Dim count = (*repeats)[i];
    if (count.is_known() && count.value() < 0) context.fail(fmt::format("input 1 ('repeats') has the negative {}", count.value()));
    result[i] = multiply(result[i], count);
  }
  context.set_shape(0, std::move(result));
  if (dims->size() == 1) tile_elements(context, repeats->front());
}

}  // namespace sardonyx::infer
