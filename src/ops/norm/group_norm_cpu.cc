// GroupNormalization and InstanceNormalization: over the pixels of a group of channels, or of one channel, of one sample.
#include "ops/facts.h"
#include "ops/norm/row_norm.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

struct GroupNormSpec {
  int64_t groups = 0;  // 0: each channel is one
  float epsilon = 1e-5f;
  bool per_group = false;  // scale and shift belong to groups (GroupNormalization of opset 18)
};

RowNorm group_rows(const GroupNormSpec& spec, const Shape& x) {
  if (x.size() < 2) throw argument_error("X has shape {}; it must be (batch, channels, ...)", to_string(x));
  const int64_t groups = spec.groups == 0 ? x[1] : spec.groups;
  if (groups < 0 || (groups > 0 && x[1] % groups != 0)) {
    throw argument_error("{} groups do not divide the {} channels of X", groups, x[1]);
  }
  RowNorm norm;
  norm.epsilon = spec.epsilon;
  norm.parameter_shape = {spec.per_group ? groups : x[1]};
  norm.index.count = to_size(norm.parameter_shape[0]);
  norm.rows = 0;
  if (element_count(x) == 0) return norm;
  const size_t pixels = span_count(x, 2, x.size()), channels = to_size(x[1] / groups);
  norm.rows = to_size(x[0] * groups);
  norm.size = channels * pixels;
  norm.index.per_row = spec.per_group ? 1 : channels;
  norm.index.repeat = spec.per_group ? norm.size : pixels;
  return norm;
}

std::unique_ptr<Prepared> prepare_groups(const GroupNormSpec& spec) {
  return make_prepared([spec](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kFloats, "X");
    const RowNorm norm = group_rows(spec, x.shape);
    for (const auto& [index, name] : {std::pair<size_t, const char*>{1, "scale"}, {2, "bias"}}) {
      const ValueFacts& parameter = required(b, index, name);
      require_same_dtype(x, parameter, "X", name);
      if (parameter.shape != norm.parameter_shape) {
        throw argument_error("{} has shape {}; it must be {}", name, to_string(parameter.shape), to_string(norm.parameter_shape));
      }
    }
    auto bound = make_bound(output(x.dtype, x.shape), [norm](const RunContext& r) {
      if (norm.rows == 0) return;
      const DType dtype = r.inputs[0].dtype();
      run_row_norm(norm, {dtype, dtype, r.inputs[0].raw(), r.outputs[0].mutable_raw(), &r.inputs[1], &r.inputs[2]}, r.scratch, r.pool);
    });
    bound->scratch_bytes = row_norm_scratch(norm);
    bound->in_place_input = 0;
    bound->flops = 8.0 * static_cast<double>(norm.rows) * static_cast<double>(norm.size);
    return bound;
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_group_norm(const PrepareContext& context) {
  const int64_t groups = model::get_int(context.node, "num_groups", 0);
  if (groups < 1) throw model_error("attribute num_groups is {}; it must be at least 1", groups);
  const bool is_onnx = context.node.domain != "ai.sardonyx";  // ours has one scale for each channel, as from opset 21 on
  return prepare_groups({groups, model::get_float(context.node, "epsilon", 1e-5f), is_onnx && context.opset < 21});
}

std::unique_ptr<Prepared> prepare_instance_norm(const PrepareContext& context) {
  return prepare_groups({.epsilon = model::get_float(context.node, "epsilon", 1e-5f)});
}

}  // namespace sardonyx::ops
