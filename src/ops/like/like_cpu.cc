// Operators of domain ai.sardonyx that bring a tensor to the shape of another one. They stand where a rewrite of the graph needs sizes
// that are known when a plan is bound, not when the model is loaded: in gradients, first of all.
#include <cstring>

#include "ops/like/inner_step.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

double count_of(const Shape& shape) { return static_cast<double>(element_count(shape)); }

// Attributes of SumLike and ExpandLike: the result times `scale`, and, with `mean`, times the small count over the great one.
struct ScaleSpec {
  float scale = 1;
  bool mean = false;
  double factor(const Shape& small, const Shape& great) const {
    return mean && count_of(great) != 0 ? scale * (count_of(small) / count_of(great)) : double{scale};
  }
};

ScaleSpec scale_spec_from_node(const model::Node& node) {
  return {model::get_float(node, "scale", 1), model::get_int(node, "mean", 0) != 0};
}

void expect_broadcast(const Shape& small, const Shape& great) {
  if (small.size() <= great.size() && broadcast(small, great) == great) return;
  throw argument_error("the shape {} does not broadcast to {}", to_string(small), to_string(great));
}

// Axes of `great` along which a tensor of the shape `small` repeats.
std::vector<int64_t> repeated_axes(const Shape& small, const Shape& great) {
  std::vector<int64_t> axes;
  const size_t missing = great.size() - small.size();
  for (size_t i = 0; i < great.size(); ++i) {
    if (i < missing || (small[i - missing] == 1 && great[i] != 1)) axes.push_back(to_int(i));
  }
  return axes;
}

std::unique_ptr<Bound> bind_sum_like(const ScaleSpec& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  const Shape small = required(b, 1, "like").shape;
  require_dtype(x, kFloats, "X");
  expect_broadcast(small, x.shape);
  const std::vector<int64_t> axes = repeated_axes(small, x.shape);
  const double factor = spec.factor(small, x.shape);
  if (axes.empty() && factor == 1) return make_alias(output(x.dtype, small));
  if (axes.empty()) {
    return make_bound(output(x.dtype, small), [factor](const RunContext& r) {
      copy_all(r.inputs[0], r.outputs[0]);
      scale_elements(r.outputs[0], factor);
    });
  }
  const InnerStep sum("ReduceSum", 11, {model::Attribute::of("axes", axes)}, {x}, b.threads);
  auto bound = make_bound(output(x.dtype, small), [sum, factor](const RunContext& r) {
    Tensor out = r.outputs[0].reshape(sum.facts().shape);
    sum.run(r.inputs.first(1), out, r.scratch, r.pool);
    scale_elements(out, factor);
  });
  bound->scratch_bytes = sum.scratch_bytes();
  return bound;
}

std::unique_ptr<Bound> bind_expand_like(const ScaleSpec& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  const Shape great = required(b, 1, "like").shape;
  require_dtype(x, kFloats, "X");
  expect_broadcast(x.shape, great);
  const double factor = spec.factor(x.shape, great);
  const StridedMove move = move_between(broadcast_view(x.shape, great), great, x.dtype);
  return make_bound(output(x.dtype, great), [move, factor](const RunContext& r) {
    move.run(r.inputs[0].raw(), r.outputs[0].mutable_raw(), r.pool);
    scale_elements(r.outputs[0], factor);
  });
}

std::unique_ptr<Bound> bind_reshaped(const ValueFacts& x, Shape shape) {
  if (element_count(x.shape) != element_count(shape)) {
    throw argument_error("X has shape {}, which cannot become {}", to_string(x.shape), to_string(shape));
  }
  return make_alias(output(x.dtype, std::move(shape)));
}

// The shape that a reduction of `x` has while it keeps the reduced dimensions.
Shape kept_shape(Shape x, const std::vector<int64_t>& axes, bool none_is_all) {
  if (axes.empty() && !none_is_all) return x;
  const std::vector<bool> reduced = checked_axes(axes, x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    if (axes.empty() || reduced[i]) x[i] = 1;
  }
  return x;
}

std::vector<int64_t> last_two_swapped(size_t rank) {
  std::vector<int64_t> perm(rank);
  for (size_t i = 0; i < rank; ++i) perm[i] = to_int(i);
  std::swap(perm[rank - 1], perm[rank - 2]);
  return perm;
}

}  // namespace

// FilledLike(X) {value}: a tensor of X's type and shape that holds `value` everywhere.
std::unique_ptr<Prepared> prepare_filled_like(const PrepareContext& context) {
  return make_prepared([value = model::get_float(context.node, "value", 0)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kNumbers, "X");
    const Tensor one = Tensor::full({}, value, x.dtype);
    return make_bound(output(x.dtype, x.shape), [one](const RunContext& r) {
      const size_t bytes = one.byte_size(), count = to_size(r.outputs[0].numel());
      auto* to = static_cast<std::byte*>(r.outputs[0].mutable_raw());
      for (size_t i = 0; i < count; ++i) std::memcpy(to + i * bytes, one.raw(), bytes);
    });
  });
}

// SumLike(X, like) {scale, mean}: the sum of X over the axes along which a tensor of like's shape repeats when it broadcasts to X's.
std::unique_ptr<Prepared> prepare_sum_like(const PrepareContext& context) {
  return make_prepared([spec = scale_spec_from_node(context.node)](const BindContext& b) { return bind_sum_like(spec, b); });
}

// ExpandLike(X, like) {scale, mean}: X broadcast to like's shape.
std::unique_ptr<Prepared> prepare_expand_like(const PrepareContext& context) {
  return make_prepared([spec = scale_spec_from_node(context.node)](const BindContext& b) { return bind_expand_like(spec, b); });
}

// ReshapeLike(X, like): the elements of X under like's shape.
std::unique_ptr<Prepared> prepare_reshape_like(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) { return bind_reshaped(required(b, 0, "X"), required(b, 1, "like").shape); });
}

// KeepDimsLike(X, like, axes) {axes, noop_with_empty_axes}: X, a reduction of `like` over these axes, with the reduced dimensions as 1.
std::unique_ptr<Prepared> prepare_keep_dims_like(const PrepareContext& context) {
  const bool none_is_all = model::get_int(context.node, "noop_with_empty_axes", 0) == 0;
  auto prepared = make_prepared([axes = model::get_ints(context.node, "axes"), none_is_all](const BindContext& b) {
    const ValueFacts* given = optional(b, 2);
    const std::vector<int64_t> reduced = given ? integer_values(*given, "axes") : axes;
    return bind_reshaped(required(b, 0, "X"), kept_shape(required(b, 1, "like").shape, reduced, none_is_all));
  });
  return make_value_driven(std::move(prepared), {.value_inputs = 1U << 2, .output_types = {}});
}

// SwapLast(X): the last two axes exchanged.
std::unique_ptr<Prepared> prepare_swap_last(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    if (x.shape.size() < 2) throw argument_error("X has shape {}; its rank must be at least 2", to_string(x.shape));
    const InnerStep swap("Transpose", 13, {model::Attribute::of("perm", last_two_swapped(x.shape.size()))}, {x}, b.threads);
    auto bound = make_bound(output(x.dtype, swap.facts().shape),
                            [swap](const RunContext& r) { swap.run(r.inputs, r.outputs[0], r.scratch, r.pool); });
    bound->scratch_bytes = swap.scratch_bytes();
    return bound;
  });
}

// MatrixOperand(X) {side}: a vector as MatMul reads it, a row on side 0, a column on side 1; anything else as it is.
std::unique_ptr<Prepared> prepare_matrix_operand(const PrepareContext& context) {
  return make_prepared([side = model::get_int(context.node, "side", 0)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    if (x.shape.size() != 1) return bind_reshaped(x, x.shape);
    return bind_reshaped(x, side == 0 ? Shape{1, x.shape[0]} : Shape{x.shape[0], 1});
  });
}

// MatrixResult(X, A, B): X of the shape of MatMul(A, B), with the dimensions as 1 that MatMul drops for vectors.
std::unique_ptr<Prepared> prepare_matrix_result(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    Shape shape = x.shape;
    if (required(b, 2, "B").shape.size() == 1) shape.push_back(1);
    if (required(b, 1, "A").shape.size() == 1) shape.insert(shape.empty() ? shape.end() : shape.end() - 1, 1);
    return bind_reshaped(x, std::move(shape));
  });
}

}  // namespace sardonyx::ops
