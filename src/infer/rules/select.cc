// Operators that pick elements by their values, so that sizes depend on them: TopK, Unique, NonZero, Compress, OneHot.
#include <fmt/format.h>

#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
Dim top_count(const NodeContext& context, Dim available) {
  constexpr int kCountIsInput = 10;
  if (context.version() < kCountIsInput) {
    const int64_t count = model::get_int(context.node(), "k", -1);
    if (count <= 0) context.fail(fmt::format("attribute 'k' is {}, it must be above 0", count));
    return count;
  }
  const Dims* elements = context.elements(1);
  if (elements == nullptr) return {};
  const Dims* shape = context.shape(1);
  if (elements->size() != 1 || (shape != nullptr && shape->size() != 1)) context.fail("input 1 ('K') must be a tensor of shape [1]");
  const Dim count = elements->front();
  if (count.is_known() && count.value() < 0) context.fail(fmt::format("input 1 ('K') is {}, it must not be negative", count.value()));
  if (count.is_known() && available.is_known() && count.value() > available.value()) {
    context.fail(fmt::format("the {} greatest are wanted of an axis of {}", count.value(), available.value()));
  }
  return count;
}

// How many elements of a list are not 0; unknown if one is not known.
Dim count_nonzero(const NodeContext& context, size_t input, size_t limit) {
  const std::optional<Dims> elements = elements_of(context, input);
  if (!elements) return {};
  Dim count = 0;
  for (size_t i = 0; i < std::min(limit, elements->size()); ++i) {
    const Dim element = (*elements)[i];
    if (!element.is_known()) return {};
    if (!element.is(0)) count = add(count, 1);
  }
  return count;
}

// The input's shape with one size replaced.
Dims with_size(const Dims& dims, size_t axis, Dim size) {
  Dims result = dims;
  result[axis] = size;
  return result;
}
}  // namespace

void infer_top_k(NodeContext& context) {
  context.set_dtype(1, DType::kInt64);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const size_t axis = context.axis(model::get_int(context.node(), "axis", -1), dims->size());
  const Dims result = with_size(*dims, axis, top_count(context, (*dims)[axis]));
  context.set_shape(0, result);
  context.set_shape(1, result);
}

void infer_unique(NodeContext& context) {
  for (size_t i = 1; i < context.outputs(); ++i) {
    context.set_dtype(i, DType::kInt64);
    context.set_shape(i, Dims(1));
  }
  if (context.attribute("axis") == nullptr) {
    context.set_shape(0, Dims(1));
    return;
  }
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const size_t axis = context.axis(model::get_int(context.node(), "axis", 0), dims->size());
  context.set_shape(0, with_size(*dims, axis, Dim()));
}

void infer_non_zero(NodeContext& context) {
  context.set_dtype(0, DType::kInt64);
  const Dims* dims = context.shape(0);
  const Dim rank = dims == nullptr ? Dim() : Dim(static_cast<int64_t>(dims->size()));
  context.set_shape(0, {rank, count_nonzero(context, 0, kMaxElements)});
}

void infer_compress(NodeContext& context) {
  const Dims* dims = context.shape(0);
  context.expect_min_rank(0, 1, "input");
  if (context.attribute("axis") == nullptr) {
    context.set_shape(0, {count_nonzero(context, 1, kMaxElements)});
    return;
  }
  if (dims == nullptr) return;
  const size_t axis = context.axis(model::get_int(context.node(), "axis", 0), dims->size());
  const Dims* condition = context.elements(1);
  const Dim size = (*dims)[axis];
  // A condition that may be longer than the axis counts only as far as the axis goes.
  const bool fits = condition != nullptr && size.is_known() && static_cast<uint64_t>(size.value()) >= condition->size();
  context.set_shape(0, with_size(*dims, axis, fits ? count_nonzero(context, 1, kMaxElements) : Dim()));
}

// OneHot: `depth` is a scalar, or of one element, of any number type.
void infer_one_hot(NodeContext& context) {
  const Dims* depth = context.shape(1);
  if (depth != nullptr && (depth->size() > 1 || (depth->size() == 1 && depth->front().is_known() && !depth->front().is(1)))) {
    context.fail(fmt::format("input 1 ('depth') must be a scalar or of one element, its shape is {}", context.symbols().show(*depth)));
  }
  context.expect_rank(2, 1, "values");
  if (const Dims* values = context.shape(2); values != nullptr && values->front().is_known() && !values->front().is(2)) {
    context.fail(fmt::format("input 2 ('values') must have two elements, off and on, its shape is {}", context.symbols().show(*values)));
  }
  const Dims* indices = context.shape(0);
  if (indices == nullptr) return;
  context.expect_min_rank(0, 1, "indices");
  const size_t axis = context.axis(model::get_int(context.node(), "axis", -1), indices->size() + 1);
  const Dim size = scalar_operand(context, 1);
  if (size.is_known() && size.value() < 0) context.fail(fmt::format("input 1 ('depth') is {}, it must not be negative", size.value()));
  Dims result = *indices;
  result.insert(result.begin() + static_cast<ptrdiff_t>(axis), size);
  context.set_shape(0, std::move(result));
}

}  // namespace sardonyx::infer
