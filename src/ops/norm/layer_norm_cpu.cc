// LayerNormalization and RMSNormalization: over all dimensions from an axis on.
#include <algorithm>
#include <limits>

#include "ops/facts.h"
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

// Rows without elements have no mean.
void fill_with_nan(Tensor* tensor) {
  if (!tensor || tensor->numel() == 0) return;
  const std::vector<float> values(to_size(tensor->numel()), std::numeric_limits<float>::quiet_NaN());
  store_run<float>(tensor->dtype())(values.data(), values.size(), tensor->mutable_raw());
}

void run_layer_norm(const RowNorm& norm, const RunContext& r) {
  const auto result = [&](size_t i) { return i < r.outputs.size() && r.outputs[i].defined() ? &r.outputs[i] : nullptr; };
  if (norm.rows == 0) {
    fill_with_nan(result(1));
    return fill_with_nan(result(2));
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
                .mean = result(1),
                .factor = result(2)},
               r.scratch, r.pool);
}

std::unique_ptr<Bound> bind_layer_norm(const RowNorm& norm, std::vector<ValueFacts> outputs) {
  const bool in_place = outputs[0].dtype != DType::kUndefined;
  auto bound = make_bound(std::move(outputs), [norm](const RunContext& r) { run_layer_norm(norm, r); });
  bound->scratch_bytes = row_norm_scratch(norm);
  if (in_place) bound->in_place_input = 0;
  bound->flops = 8.0 * static_cast<double>(norm.rows) * static_cast<double>(norm.size);
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_layer_norm(const PrepareContext& context) {
  const std::vector<std::string>& names = context.node.output;
  const auto wants = [&](size_t i) { return i < names.size() && !names[i].empty(); };
  return make_prepared(
      [spec = layer_norm_spec_from_node(context.node), mean = wants(1), factor = wants(2), outputs = names.size()](const BindContext& b) {
        const ValueFacts& x = required(b, 0, "X");
        require_dtype(x, kFloats, "X");
        require_same_dtype(x, required(b, 1, "scale"), "X", "scale");
        if (const ValueFacts* shift = optional(b, 2)) require_same_dtype(x, *shift, "X", "B");
        const RowNorm norm = layer_rows(spec, b, x);
        Shape statistics = x.shape;
        std::fill(statistics.begin() + to_int(checked_axis(spec.axis, x.shape.size())), statistics.end(), 1);
        std::vector<ValueFacts> facts(outputs);
        facts[0] = output(x.dtype, x.shape);
        if (mean) facts[1] = output(spec.statistics, statistics);
        if (factor) facts[2] = output(spec.statistics, statistics);
        return bind_layer_norm(norm, std::move(facts));
      });
}

std::unique_ptr<Prepared> prepare_rms_norm(const PrepareContext& context) {
  return make_prepared([spec = layer_norm_spec_from_node(context.node)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    const ValueFacts& scale = required(b, 1, "scale");
    require_dtype(x, kFloats, "X");
    require_dtype(scale, kFloats, "scale");
    RowNorm norm = layer_rows(spec, b, x);
    norm.centered = false;
    return bind_layer_norm(norm, {output(scale.dtype, x.shape)});
  });
}

}  // namespace sardonyx::ops
