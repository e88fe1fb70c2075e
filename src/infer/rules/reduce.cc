// Operators that reduce axes to one element: Reduce..., ArgMax, ArgMin.
#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
Dims without(const Dims& dims, const std::vector<size_t>& axes, bool keep) {
  Dims result;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) {
      result.push_back(dims[i]);
    } else if (keep) {
      result.push_back(1);
    }
  }
  return result;
}

// Reduces what is known of the axes; tells whether everything is reduced, so that the elements can be.
bool reduce_shape(NodeContext& context) {
  const ListOperand axes = list_operand(context, "axes", 1);
  const bool keep = model::get_int(context.node(), "keepdims", 1) == 1;
  const bool is_copy_without_axes = model::get_int(context.node(), "noop_with_empty_axes", 0) != 0;
  const Dims* dims = context.shape(0);
  if (axes.is_given && !axes.values) {
    if (dims != nullptr && (keep || dims->empty())) context.set_shape(0, Dims(dims->size()));
    return false;
  }
  const std::vector<int64_t> given = axes.values.value_or(std::vector<int64_t>());
  if (dims == nullptr) {
    if (!keep && given.empty() && !is_copy_without_axes) context.set_shape(0, {});
    return false;
  }
  if (given.empty() && is_copy_without_axes) {
    context.copy_shape(0, 0);
    return false;
  }
  const std::vector<size_t> reduced = given.empty() ? all_axes(dims->size()) : resolve_axes(context, given, dims->size());
  context.set_shape(0, without(*dims, reduced, keep));
  return dims->size() == 1;
}

void reduce_elements(NodeContext& context, BinaryElement function, std::optional<Dim> of_nothing) {
  if (!reduce_shape(context)) return;
  const std::optional<Dims> elements = elements_of(context, 0);
  if (!elements || (elements->empty() && !of_nothing)) return;
  Dim result = elements->empty() ? *of_nothing : elements->front();
  for (size_t i = 1; i < elements->size(); ++i) result = fit(function(result, (*elements)[i]), context.dtype(0));
  put_elements(context, 0, {result});
}

Dim larger(Dim a, Dim b) { return a.is_known() && b.is_known() ? Dim(std::max(a.value(), b.value())) : Dim(); }
Dim smaller(Dim a, Dim b) { return a.is_known() && b.is_known() ? Dim(std::min(a.value(), b.value())) : Dim(); }
}  // namespace

void infer_reduce(NodeContext& context) { reduce_shape(context); }
void infer_reduce_max(NodeContext& context) { reduce_elements(context, larger, std::nullopt); }
void infer_reduce_min(NodeContext& context) { reduce_elements(context, smaller, std::nullopt); }
void infer_reduce_sum(NodeContext& context) { reduce_elements(context, add, Dim(0)); }
void infer_reduce_prod(NodeContext& context) { reduce_elements(context, multiply, Dim(1)); }

void infer_arg_reduce(NodeContext& context) {
  context.set_dtype(0, DType::kInt64);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const size_t axis = context.axis(model::get_int(context.node(), "axis", 0), dims->size());
  context.set_shape(0, without(*dims, {axis}, model::get_int(context.node(), "keepdims", 1) == 1));
}

}  // namespace sardonyx::infer
