#include "ops/conv_transpose/conv_transpose.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

std::unique_ptr<Bound> bind_conv_transpose(const ConvTransposeSpec& spec, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "X"), &w = required(b, 1, "W");
  require_dtype(x, kReals, "X");
  require_same_dtype(x, w, "X", "W");
  const ConvTransposeGeometry g = conv_transpose_geometry(spec, x.shape, w.shape);
  if (const ValueFacts* bias = optional(b, 2)) {
    require_same_dtype(x, *bias, "X", "B");
    if (bias->shape != Shape{g.out[1]}) throw argument_error("B has shape {}; it must be [{}]", to_string(bias->shape), g.out[1]);
  }
  const DType dtype = x.dtype;
  auto bound = make_bound(output(dtype, g.out), [shape = g.kernel, activation = spec.activation, dtype](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    with_real(dtype, [&]<class T>() {
      kernels::conv_transpose<T>(shape, input_data<T>(r, 0), input_data<T>(r, 1), input_data<T>(r, 2), activation, output_data<T>(r, 0),
                                 r.scratch, r.pool);
    });
  });
  if (element_count(g.out) != 0) {
    bound->scratch_bytes = with_real(dtype, [&]<class T>() { return kernels::conv_transpose_scratch_bytes<T>(g.kernel, b.threads); });
  }
  bound->flops = 2.0 * static_cast<double>(element_count(x.shape)) * static_cast<double>(span_count(w.shape, 1, w.shape.size()));
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_conv_transpose(const PrepareContext& context) {
  return make_prepared(
      [spec = conv_transpose_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_conv_transpose(spec, b); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_conv_transpose(const PrepareContext& context) { return via_float(context, prepare_wide_conv_transpose); }

}  // namespace sardonyx::ops
