#include "infer/rules/operands.h"

#include <fmt/format.h>

#include <numeric>

#include "infer/rules/propagation.h"

namespace sardonyx::infer {

ListOperand list_attribute(const NodeContext& context, std::string_view name) {
  ListOperand list;
  list.values = context.ints_attribute(name);
  list.is_given = list.values.has_value();
  if (list.values) list.count = list.values->size();
  return list;
}

ListOperand list_input(const NodeContext& context, size_t input) {
  ListOperand list;
  list.is_given = context.has_input(input);
  if (!list.is_given) return list;
  list.values = context.ints(input);
  if (const Dims* elements = context.elements(input)) {
    list.count = elements->size();
  } else if (const Dims* shape = context.shape(input); shape != nullptr && shape->size() == 1 && (*shape)[0].is_known()) {
    list.count = static_cast<size_t>((*shape)[0].value());
  }
  return list;
}

ListOperand list_operand(const NodeContext& context, std::string_view attribute, size_t input) {
  return context.attribute(attribute) != nullptr ? list_attribute(context, attribute) : list_input(context, input);
}

std::vector<size_t> resolve_axes(const NodeContext& context, const std::vector<int64_t>& axes, size_t rank) {
  std::vector<size_t> resolved;
  resolved.reserve(axes.size());
  for (const int64_t axis : axes) resolved.push_back(context.axis(axis, rank));
  return resolved;
}

std::vector<size_t> resolve_distinct_axes(const NodeContext& context, const std::vector<int64_t>& axes, size_t rank) {
  std::vector<size_t> resolved = resolve_axes(context, axes, rank);
  std::vector<bool> seen(rank, false);
  for (const size_t axis : resolved) {
    if (seen[axis]) context.fail(fmt::format("axis {} is given more than once", axis));
    seen[axis] = true;
  }
  return resolved;
}

std::vector<size_t> all_axes(size_t rank) {
  std::vector<size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), size_t{0});
  return axes;
}

std::optional<Dims> shape_operand(const NodeContext& context, size_t input, std::string_view name) {
  if (const Dims* elements = context.elements(input)) return *elements;
  context.expect_rank(input, 1, name);
  const ListOperand list = list_input(context, input);
  if (!list.count || *list.count > kMaxElements) return std::nullopt;
  return Dims(*list.count);
}

Dim scalar_operand(const NodeContext& context, size_t input) {
  const std::optional<Dims> elements = elements_of(context, input);
  return elements && elements->size() == 1 ? elements->front() : Dim();
}

DType dtype_attribute(const NodeContext& context, std::string_view name, DType fallback) {
  const int64_t number = model::get_int(context.node(), name, static_cast<int64_t>(fallback));
  const bool fits = number >= 0 && number < kDTypeCount;
  const DType dtype = fits ? static_cast<DType>(number) : DType::kUndefined;
  if (context.attribute(name) != nullptr && !is_valid(dtype)) {
    context.fail(fmt::format("attribute '{}' is {}, which is no element type", name, number));
  }
  return dtype;
}

}  // namespace sardonyx::infer
