// Concat, and Split, which takes apart again.
#include <fmt/format.h>

#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
// Elements of vectors one after the other.
void concat_elements(NodeContext& context) {
  Dims result;
  for (size_t i = 0; i < context.inputs(); ++i) {
    const std::optional<Dims> elements = elements_or_unknown(context, i);
    if (!elements || result.size() + elements->size() > kMaxElements) return;
    result.insert(result.end(), elements->begin(), elements->end());
  }
  put_elements(context, 0, std::move(result));
}

int64_t concat_axis(const NodeContext& context) {
  constexpr int64_t kVersion1Default = 1;
  if (context.version() > 1 && context.attribute("axis") == nullptr) context.fail("attribute 'axis' is missing");
  return model::get_int(context.node(), "axis", kVersion1Default);
}

void expect_same_rank(const NodeContext& context, size_t input, const Dims& dims, const Dims& others) {
  if (dims.size() == others.size()) return;
  context.fail(fmt::format("input {} has shape {}, an earlier one has another rank: {}", input, context.symbols().show(dims),
                           context.symbols().show(others)));
}
}  // namespace

// Concat: sizes are the same but along the axis, where they add up.
void infer_concat(NodeContext& context) {
  const int64_t given = concat_axis(context);
  std::optional<Dims> result;
  size_t axis = 0;
  Dim total = 0;
  for (size_t i = 0; i < context.inputs(); ++i) {
    const Dims* dims = context.shape(i);
    if (dims == nullptr) {
      total = Dim();
      continue;
    }
    axis = context.axis(given, dims->size());
    const Dim size = (*dims)[axis];
    total = total.is_unknown() ? total : add(total, size);
    if (!result) {
      result = *dims;
      continue;
    }
    expect_same_rank(context, i, *dims, *result);
    for (size_t k = 0; k < dims->size(); ++k) {
      if (k != axis) (*result)[k] = merge(context, (*result)[k], (*dims)[k], fmt::format("size {} of input {} and of those before", k, i));
    }
  }
  if (!result) return;
  (*result)[axis] = total;
  const bool is_vector = result->size() == 1;
  context.set_shape(0, std::move(*result));
  if (is_vector) concat_elements(context);
}

namespace {
// Sizes in parts as equal as can be, the last one less.
std::vector<Dim> equal_parts(const NodeContext& context, Dim size) {
  const size_t outputs = context.outputs();
  std::vector<Dim> parts(outputs);
  constexpr int kCountIsAttribute = 18;
  if (context.version() < kCountIsAttribute) {
    if (!size.is_known() || outputs == 0) return parts;
    const auto count = static_cast<int64_t>(outputs);
    if (size.value() % count != 0) context.fail(fmt::format("a size of {} cannot be split into {} equal parts", size.value(), count));
    parts.assign(outputs, size.value() / count);
    return parts;
  }
  if (context.attribute("num_outputs") == nullptr) {
    if (size.is_known()) context.fail("neither input 1 ('split') nor attribute 'num_outputs' is given");
    return parts;
  }
  const int64_t count = model::get_int(context.node(), "num_outputs", 1);
  if (count < 1) context.fail(fmt::format("attribute 'num_outputs' is {}, it must be at least 1", count));
  if (static_cast<uint64_t>(count) < outputs) context.fail(fmt::format("'num_outputs' is {}, the node has {} outputs", count, outputs));
  if (!size.is_known()) return parts;
  const int64_t chunk = size.value() / count + (size.value() % count != 0 ? 1 : 0);
  for (size_t i = 0; i < outputs; ++i) parts[i] = chunk;
  const Dim last = subtract(size, multiply(chunk, count - 1));
  const Dim together = multiply(chunk, static_cast<int64_t>(outputs));
  if (static_cast<uint64_t>(count) > outputs && together.is_known() && together.value() > size.value()) {
    context.fail(fmt::format("{} parts of {} are more than the size of {}", outputs, chunk, size.value()));
  }
  // Equal chunks may be more than there is; how the last ones are cut short then is not defined.
  if (!last.is_known() || last.value() < 0) return std::vector<Dim>(outputs);
  if (static_cast<uint64_t>(count) == outputs) parts.back() = last;
  return parts;
}

std::vector<Dim> given_parts(const NodeContext& context, Dim size, const ListOperand& split) {
  std::vector<Dim> parts(context.outputs());
  if (split.count && *split.count != parts.size()) {
    context.fail(fmt::format("'split' has {} sizes, the node has {} outputs", *split.count, parts.size()));
  }
  if (!split.values) return parts;
  Dim sum = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const int64_t part = (*split.values)[i];
    if (part < 0) context.fail(fmt::format("'split' has the negative size {}", part));
    parts[i] = part;
    sum = sum.is_known() ? add(sum, part) : sum;
  }
  merge(context, size, sum, "the size of the axis and the sum of 'split'");
  return parts;
}

// Elements of a vector, in parts.
void split_elements(NodeContext& context, const std::vector<Dim>& parts) {
  const std::optional<Dims> elements = elements_of(context, 0);
  if (!elements) return;
  auto next = elements->begin();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].is_known() || parts[i].value() > elements->end() - next) return;
    put_elements(context, i, Dims(next, next + parts[i].value()));
    next += parts[i].value();
  }
}
}  // namespace

// Split: sizes from the attribute or, in version 1 and since 13, the input `split`; else equal ones.
void infer_split(NodeContext& context) {
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const ListOperand split = list_operand(context, "split", 1);
  const size_t axis = context.axis(model::get_int(context.node(), "axis", 0), dims->size());
  if (split.is_given && context.attribute("num_outputs") != nullptr) context.fail("both 'split' and 'num_outputs' are given");
  const Dim size = (*dims)[axis];
  const std::vector<Dim> parts = split.is_given ? given_parts(context, size, split) : equal_parts(context, size);
  for (size_t i = 0; i < parts.size(); ++i) {
    Dims part = *dims;
    part[axis] = parts[i];
    context.set_shape(i, std::move(part));
  }
  if (dims->size() == 1) split_elements(context, parts);
}

}  // namespace sardonyx::infer
