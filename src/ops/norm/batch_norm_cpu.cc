#include <array>

#include "core/arena.h"
#include "kernels/cpu/norm/batch_norm.h"
#include "ops/facts.h"
#include "ops/norm/batch_norm.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

void run_batch_norm(const RunContext& r, const BatchNormGeometry& g, float epsilon) {
  if (r.outputs[0].numel() == 0) return;
  std::array<const float*, 5> in = {};
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<const float*>(r.inputs[i].raw());
  auto* scale = reinterpret_cast<float*>(r.scratch);
  float* shift = scale + g.channels;
  kernels::fold_batch_norm(g.channels, in[1], in[2], in[3], in[4], epsilon, scale, shift);
  kernels::scale_shift(g.batch, g.channels, g.inner, in[0], scale, shift, static_cast<float*>(r.outputs[0].mutable_raw()), r.pool);
}

std::unique_ptr<Prepared> prepare_float_batch_norm(const PrepareContext& context) {
  const size_t outputs = context.node.output.size();
  return make_prepared([spec = batch_norm_spec_from_node(context.node, context.opset), outputs](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, {DType::kFloat32}, "X");
    const BatchNormGeometry geometry = batch_norm_geometry(spec, x.shape);
    constexpr std::array<std::string_view, 4> kNames = {"scale", "B", "mean", "var"};
    for (size_t i = 0; i < kNames.size(); ++i) {
      const ValueFacts& statistic = required(b, i + 1, kNames[i]);
      require_dtype(statistic, {DType::kFloat32}, kNames[i]);
      if (statistic.shape != geometry.statistics) {
        throw argument_error("{} has shape {}; X of shape {} needs {}", kNames[i], to_string(statistic.shape), to_string(x.shape),
                             to_string(geometry.statistics));
      }
    }
    std::vector<ValueFacts> facts(outputs);
    facts[0] = output(x.dtype, x.shape);
    auto bound =
        make_bound(std::move(facts), [geometry, epsilon = spec.epsilon](const RunContext& r) { run_batch_norm(r, geometry, epsilon); });
    bound->scratch_bytes = 2 * geometry.channels * sizeof(float);
    bound->in_place_input = 0;
    bound->flops = 2.0 * static_cast<double>(element_count(x.shape));
    return bound;
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_batch_norm(const PrepareContext& context) { return via_float(context, prepare_float_batch_norm); }

}  // namespace sardonyx::ops
