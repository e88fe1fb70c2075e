// LayerNormalization and RMSNormalization: over all dimensions from an axis on. So do what ONNX Runtime writes in their place for older
// opsets: LayerNormalization before opset 17, whose scale may have another type than X and gives its type to Y, and
// SimplifiedLayerNormalization, which is RMSNormalization with the factor of each row as second output.
#include <algorithm>

#include "ops/elements/real.h"
#include "ops/norm/row_norm.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

struct LayerNormSpec {
  int64_t axis = -1;
  float epsilon = 1e-5f;
  DType statistics = DType::kFloat32;
};

LayerNormSpec layer_norm_spec_from_node(const model::Node& node) {
  const int64_t stash = model::get_int(node, "stash_type", 1);
  if (stash < 0 || stash >= kDTypeCount || !kFloats.has(static_cast<DType>(stash))) {
    throw model_error("attribute stash_type is {}; it must name a floating-point type (1: float)", stash);
  }
  return {model::get_int(node, "axis", -1), model::get_float(node, "epsilon", 1e-5f), static_cast<DType>(stash)};
}

// Whether the parameter is the same for all rows; throws where it does not broadcast to X.
bool is_shared(const ValueFacts& parameter, const Shape& x, size_t axis, std::string_view name) {
  const auto meets = [](int64_t own, int64_t size) { return own == 1 || own == size; };
  const Shape& own = parameter.shape;
  if (own.size() > x.size() || !std::equal(own.rbegin(), own.rend(), x.rbegin(), meets)) {
    throw argument_error("{} of shape {} does not broadcast to X of shape {}", name, to_string(own), to_string(x));
  }
  const size_t outer = own.size() - std::min(own.size(), x.size() - axis);
  return span_count(own, 0, outer) == 1;
}

RowNorm layer_rows(const LayerNormSpec& spec, const BindContext& b, const ValueFacts& x) {
  const size_t axis = checked_axis(spec.axis, x.shape.size());
  RowNorm norm;
  if (element_count(x.shape) == 0) norm.rows = 0;
  bool shared = is_shared(required(b, 1, "scale"), x.shape, axis, "scale");
  if (const ValueFacts* shift = optional(b, 2)) shared = is_shared(*shift, x.shape, axis, "B") && shared;
  norm.epsilon = spec.epsilon;
  if (norm.rows == 0) return norm;
  norm.rows = span_count(x.shape, 0, axis);
  norm.size = span_count(x.shape, axis, x.shape.size());
  norm.parameter_shape = shared ? Shape(x.shape.begin() + to_int(axis), x.shape.end()) : x.shape;
  norm.index = {.per_row = norm.size, .repeat = 1, .count = to_size(element_count(norm.parameter_shape))};
  return norm;
}

// The parameter without leading sizes of 1 that the dimensions it broadcasts to do not have.
Tensor trimmed(const Tensor* parameter, size_t rank) {
  if (!parameter) return {};
  const Shape& shape = parameter->shape();
  return shape.size() <= rank ? *parameter : parameter->reshape(Shape(shape.end() - to_int(rank), shape.end()));
}

// The rows, and which outputs take the mean and the factor of each.
struct LayerNormStep {
  static constexpr size_t kNone = SIZE_MAX;
  RowNorm norm;
  size_t mean = kNone, factor = kNone;

  void run(const RunContext& r) const {
    const auto result = [&](size_t i) { return i < r.outputs.size() && r.outputs[i].defined() ? &r.outputs[i] : nullptr; };
    if (norm.rows == 0) {
      fill_with_nan(result(mean));
      return fill_with_nan(result(factor));
    }
    const Tensor scale = trimmed(&r.inputs[1], norm.parameter_shape.size());
    const Tensor shift = trimmed(optional(r, 2), norm.parameter_shape.size());
    run_row_norm(norm,
                 {.x_type = r.inputs[0].dtype(),
                  .y_type = r.outputs[0].dtype(),
                  .x = r.inputs[0].raw(),
                  .y = r.outputs[0].mutable_raw(),
                  .scale = &scale,
                  .shift = shift.defined() ? &shift : nullptr,
                  .mean = result(mean),
                  .factor = result(factor)},
                 r.scratch, r.pool);
  }
};

std::unique_ptr<Bound> bind_layer_norm(const LayerNormStep& step, const ValueFacts& x, std::vector<ValueFacts> outputs) {
  const bool in_place = outputs[0].dtype == x.dtype;
  auto bound = make_bound(std::move(outputs), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = row_norm_scratch(step.norm);
  if (in_place) bound->in_place_input = 0;
  bound->flops = 8.0 * static_cast<double>(step.norm.rows) * static_cast<double>(step.norm.size);
  return bound;
}

// Facts of a value for each row.
ValueFacts statistics_of(const LayerNormSpec& spec, const Shape& x) {
  Shape shape = x;
  std::fill(shape.begin() + to_int(checked_axis(spec.axis, x.size())), shape.end(), 1);
  return output(spec.statistics, std::move(shape));
}

// The statistics may be left out; Y is always computed.
std::vector<bool> outputs_of(const model::Node& node) {
  std::vector<bool> wanted = wanted_outputs(node);
  wanted.front() = true;
  return wanted;
}

constexpr int kTypesAgree = 17;  // from this opset on X, scale and B have one type

}  // namespace

std::unique_ptr<Prepared> prepare_layer_norm(const PrepareContext& context) {
  const LayerNormSpec spec = layer_norm_spec_from_node(context.node);
  return make_prepared([spec, agree = context.opset >= kTypesAgree, wanted = outputs_of(context.node)](const BindContext& b) {
    const ValueFacts &x = required(b, 0, "X"), &scale = required(b, 1, "scale");
    require_dtype(x, kFloats, "X");
    require_dtype(scale, kFloats, "scale");
    if (agree) require_same_dtype(x, scale, "X", "scale");
    if (const ValueFacts* shift = optional(b, 2)) require_same_dtype(scale, *shift, "scale", "B");
    const RowNorm norm = layer_rows(spec, b, x);
    const ValueFacts statistics = statistics_of(spec, x.shape);
    return bind_layer_norm({norm, 1, 2}, x, keep_wanted({output(scale.dtype, x.shape), statistics, statistics}, wanted));
  });
}

std::unique_ptr<Prepared> prepare_rms_norm(const PrepareContext& context) {
  return make_prepared([spec = layer_norm_spec_from_node(context.node), wanted = outputs_of(context.node)](const BindContext& b) {
    const ValueFacts &x = required(b, 0, "X"), &scale = required(b, 1, "scale");
    require_dtype(x, kFloats, "X");
    require_dtype(scale, kFloats, "scale");
    RowNorm norm = layer_rows(spec, b, x);
    norm.centered = false;
    return bind_layer_norm({.norm = norm, .factor = 1}, x,
                           keep_wanted({output(scale.dtype, x.shape), statistics_of(spec, x.shape)}, wanted));
  });
}

}  // namespace sardonyx::ops
