#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
constexpr int64_t kToTheEnd = std::numeric_limits<int32_t>::max();  // what exporters write for "all that there is", and more

// One axis's part of a slice.
struct Part {
  Dim start, end, step = 1;
};

// A slice of an axis whose size is known: the elements start, start + step, ..., `count` of them.
struct Extent {
  int64_t start = 0, step = 1, count = 0;
};

Extent extent(int64_t size, int64_t start, int64_t end, int64_t step) {
  const auto within = [&](int64_t index, int64_t low, int64_t high) { return std::clamp(index < 0 ? index + size : index, low, high); };
  if (size == 0) return {};
  const int64_t first = step > 0 ? within(start, 0, size) : within(start, 0, size - 1);
  const int64_t last = step > 0 ? within(end, 0, size) : within(end, -1, size - 1);
  return {first, step, count_steps(first, last, step).value()};
}

bool is_far(Dim bound) { return bound.is_known() && bound.value() >= kToTheEnd; }

// The size of a slice of an axis.
Dim sliced(Dim size, const Part& part) {
  const auto [start, end, step] = part;
  if (size.is_known() && start.is_known() && end.is_known() && step.is_known()) {
    return extent(size.value(), start.value(), end.value(), step.value()).count;
  }
  if (!step.is_known()) return {};
  if (step.value() > 0 && same(start, end)) return 0;
  if (step.is(1) && start.is(0) && (is_far(end) || same(end, size))) return size;
  const bool is_reversed = step.is(-1) && (start.is(-1) || is_far(start)) && end.is_known() && end.value() <= -kToTheEnd;
  return is_reversed ? size : Dim();
}

// What is known of the slice: axes, and the parts that go with them.
struct Slicing {
  std::vector<size_t> axes;
  std::vector<Part> parts;
};

Dims list_of(const std::vector<int64_t>& values) { return {values.begin(), values.end()}; }

// Elements of an operand of Slice; unknown ones where only their number is known.
std::optional<Dims> bounds(const NodeContext& context, std::string_view attribute, size_t input) {
  if (context.version() > 1) return elements_or_unknown(context, input);
  const std::optional<std::vector<int64_t>> values = context.ints_attribute(attribute);
  return values ? std::optional(list_of(*values)) : std::nullopt;
}

void expect_count(const NodeContext& context, const std::optional<Dims>& list, size_t count, std::string_view name) {
  if (list && list->size() != count) context.fail(fmt::format("'{}' has {} elements, 'starts' has {}", name, list->size(), count));
}

// Nothing if it cannot be told which axes are sliced.
std::optional<Slicing> slicing(const NodeContext& context, size_t rank) {
  const std::optional<Dims> starts = bounds(context, "starts", 1), ends = bounds(context, "ends", 2), steps = bounds(context, "steps", 4);
  const ListOperand axes = context.version() > 1 ? list_input(context, 3) : list_attribute(context, "axes");
  if (context.version() == 1 && (!starts || !ends)) context.fail("attribute 'starts' or 'ends' is missing");
  if (starts) {
    expect_count(context, ends, starts->size(), "ends");
    expect_count(context, steps, starts->size(), "steps");
    if (axes.values && axes.values->size() != starts->size()) expect_count(context, list_of(*axes.values), starts->size(), "axes");
  }
  if (axes.is_given && !axes.values) return std::nullopt;
  if (!axes.is_given && !starts && !ends) return std::nullopt;
  Slicing result;
  const size_t count = axes.values ? axes.values->size() : (starts ? *starts : *ends).size();
  if (!axes.values && count > rank) context.fail(fmt::format("{} axes are sliced of an input of rank {}", count, rank));
  result.axes = axes.values ? resolve_distinct_axes(context, *axes.values, rank) : all_axes(count);
  for (size_t i = 0; i < count; ++i) {
    const auto element = [&](const std::optional<Dims>& list) { return list && i < list->size() ? (*list)[i] : Dim(); };
    result.parts.push_back({element(starts), element(ends), context.has_input(4) ? element(steps) : Dim(1)});
    if (result.parts.back().step.is(0)) context.fail(fmt::format("the step of axis {} is 0", result.axes[i]));
  }
  return result;
}

// Elements of a sliced vector.
void slice_elements(NodeContext& context, const Slicing& slicing) {
  const std::optional<Dims> elements = elements_of(context, 0);
  if (!elements || context.shape(0)->size() != 1) return;
  if (slicing.axes.empty()) {
    put_elements(context, 0, *elements);
    return;
  }
  const auto [start, end, step] = slicing.parts.front();
  if (!start.is_known() || !end.is_known() || !step.is_known()) return;
  const Extent taken = extent(static_cast<int64_t>(elements->size()), start.value(), end.value(), step.value());
  Dims result;
  for (int64_t i = 0; i < taken.count; ++i) result.push_back((*elements)[static_cast<size_t>(taken.start + i * taken.step)]);
  put_elements(context, 0, std::move(result));
}
}  // namespace

// Slice: bounds are attributes in version 1, then inputs; steps since version 10.
void infer_slice(NodeContext& context) {
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const std::optional<Slicing> found = slicing(context, dims->size());
  if (!found) {
    context.set_shape(0, Dims(dims->size()));
    return;
  }
  Dims result = *dims;
  for (size_t i = 0; i < found->axes.size(); ++i) {
    Dim& size = result[found->axes[i]];
    size = sliced(size, found->parts[i]);
  }
  context.set_shape(0, std::move(result));
  slice_elements(context, *found);
}

}  // namespace sardonyx::infer
