#include "ops/microsoft/summed_norm.h"

#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

void require_row(const BindContext& b, size_t index, const Shape& row, DType dtype, std::string_view name) {
  const ValueFacts& facts = required(b, index, name);
  if (facts.dtype != dtype) throw argument_error("{} has type {}; it must be {}", name, type_string(facts.dtype), type_string(dtype));
  if (facts.shape != row) throw argument_error("{} has shape {}; it must be {}", name, to_string(facts.shape), to_string(row));
}

Tensor* output_at(const RunContext& r, size_t index) {
  return index < r.outputs.size() && r.outputs[index].defined() ? &r.outputs[index] : nullptr;
}

}  // namespace

float epsilon_from_node(const model::Node& node) {
  const float epsilon = model::get_float(node, "epsilon", 1e-12f);
  if (!(epsilon >= 0)) throw model_error("attribute epsilon is {}; it must not be negative", epsilon);
  return epsilon;
}

SummedNorm bind_summed_norm(const BindContext& b, const Shape& x, DType dtype, float epsilon, const SummedNormPlaces& places) {
  const Shape row = {x.back()};
  require_row(b, places.scale, row, dtype, "gamma");
  if (optional(b, places.shift)) require_row(b, places.shift, row, dtype, "beta");
  SummedNorm result{.norm = {}, .places = places, .dtype = dtype};
  const size_t size = to_size(x.back());
  result.norm.rows = size == 0 ? 0 : to_size(element_count(x)) / size;
  result.norm.size = size;
  result.norm.parameter_shape = row;
  result.norm.index = {.per_row = size, .repeat = 1, .count = size};
  result.norm.epsilon = epsilon;
  return result;
}

Tensor& SummedNorm::sums(const RunContext& r) const {
  Tensor* own = output_at(r, places.sum);
  return own ? *own : r.outputs[0];
}

void SummedNorm::run(const RunContext& r) const {
  const Tensor& from = sums(r);
  run_row_norm(norm,
               {.x_type = dtype,
                .y_type = dtype,
                .x = from.raw(),
                .y = r.outputs[0].mutable_raw(),
                .scale = &r.inputs[places.scale],
                .shift = optional(r, places.shift),
                .mean = output_at(r, places.mean),
                .factor = output_at(r, places.factor)},
               r.scratch, r.pool);
}

}  // namespace sardonyx::ops
