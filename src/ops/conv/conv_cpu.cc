#include "core/arena.h"
#include "kernels/cpu/conv/depthwise.h"
#include "ops/conv/conv.h"
#include "ops/facts.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"
#include "ops/weights/packed_constant.h"

namespace sardonyx::ops {
namespace {

struct ConvInputs {
  const float *x, *w;
  kernels::ConvEpilogue epilogue;
};

ConvInputs read_inputs(const RunContext& r, const kernels::Activation& activation) {
  const auto floats = [&](size_t i) { return optional(r, i) ? static_cast<const float*>(r.inputs[i].raw()) : nullptr; };
  return {floats(0), floats(1), {.bias = floats(2), .residual = floats(3), .activation = activation}};
}

class ConvPrepared final : public Prepared {
 public:
  ConvPrepared(ConvSpec spec, const Tensor* weights)
      : spec_(std::move(spec)), weights_(std::make_shared<PackedConstant>(weights, weights && may_be_depthwise(*weights))) {}

  bool consumed_constant(size_t input) const override { return input == 1 && weights_->is_constant(); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    const ValueFacts& x = required(context, 0, "X");
    const ValueFacts& w = required(context, 1, "W");
    require_dtype(x, {DType::kFloat32}, "X");
    require_dtype(w, {DType::kFloat32}, "W");
    const ConvGeometry geometry = conv_geometry(spec_, x.shape, w.shape);
    check_addends(context, geometry.out);
    std::unique_ptr<Bound> bound = bind_candidate(context, geometry);
    const double taps = static_cast<double>(span_count(w.shape, 1, w.shape.size()));
    bound->flops = 2.0 * taps * static_cast<double>(element_count(geometry.out));
    return bound;
  }

 private:
  static bool may_be_depthwise(const Tensor& weights) { return weights.dim() > 1 && weights.shape()[1] == 1; }

  static void check_addends(const BindContext& context, const Shape& out) {
    if (const ValueFacts* bias = optional(context, 2)) {
      require_dtype(*bias, {DType::kFloat32}, "B");
      if (bias->shape != Shape{out[1]}) throw argument_error("B has shape {}; it must be [{}]", to_string(bias->shape), out[1]);
    }
    if (const ValueFacts* residual = optional(context, 3)) {
      require_dtype(*residual, {DType::kFloat32}, "Z");
      if (residual->shape != out) throw argument_error("Z has shape {}, Y has {}", to_string(residual->shape), to_string(out));
    }
  }

  std::unique_ptr<Bound> bind_candidate(const BindContext& context, const ConvGeometry& geometry) const {
    if (element_count(geometry.out) == 0) return make_bound(output(DType::kFloat32, geometry.out), [](const RunContext&) {});
    const char* refusal = kernels::depthwise_refuses(geometry.kernel);
    if (!refusal) return bind_depthwise(geometry);
    std::unique_ptr<Bound> bound =
        weights_->is_constant() ? bind_packed(geometry, context.threads) : bind_packing(geometry, context.threads);
    bound->refusals.push_back(std::string("depthwise: ") + refusal);
    return bound;
  }

  std::unique_ptr<Bound> bind_depthwise(const ConvGeometry& geometry) const {
    const float* constant = weights_->is_constant() ? weights_->plain() : nullptr;
    auto bound = make_bound(output(DType::kFloat32, geometry.out), [shape = geometry.kernel, activation = spec_.activation, constant,
                                                                    keep = weights_](const RunContext& r) {
      const ConvInputs in = read_inputs(r, activation);
      kernels::depthwise_run(shape, in.x, constant ? constant : in.w, in.epilogue, static_cast<float*>(r.outputs[0].mutable_raw()), r.pool);
    });
    bound->kernel = "depthwise";
    return bound;
  }

  std::unique_ptr<Bound> bind_packed(const ConvGeometry& geometry, int threads) const {
    const kernels::ConvShape& shape = geometry.kernel;
    const float* packed = weights_->packed(kernels::conv_packed_weight_floats(shape),
                                           [&](const float* plain, float* to) { kernels::conv_pack_weights(shape, plain, to); });
    auto bound = make_bound(
        output(DType::kFloat32, geometry.out), [shape, activation = spec_.activation, packed, keep = weights_](const RunContext& r) {
          const ConvInputs in = read_inputs(r, activation);
          kernels::conv_run(shape, in.x, packed, in.epilogue, static_cast<float*>(r.outputs[0].mutable_raw()), r.scratch, r.pool);
        });
    bound->scratch_bytes = kernels::conv_scratch_bytes(geometry.kernel, threads);
    bound->kernel = "implicit_gemm";
    return bound;
  }

  // The weight is an ordinary value: it is packed in each run.
  std::unique_ptr<Bound> bind_packing(const ConvGeometry& geometry, int threads) const {
    const size_t packed_bytes = core::align_up(kernels::conv_packed_weight_floats(geometry.kernel) * sizeof(float));
    auto bound = make_bound(output(DType::kFloat32, geometry.out),
                            [shape = geometry.kernel, activation = spec_.activation, packed_bytes](const RunContext& r) {
                              const ConvInputs in = read_inputs(r, activation);
                              auto* packed = reinterpret_cast<float*>(r.scratch);
                              kernels::conv_pack_weights(shape, in.w, packed);
                              kernels::conv_run(shape, in.x, packed, in.epilogue, static_cast<float*>(r.outputs[0].mutable_raw()),
                                                r.scratch + packed_bytes, r.pool);
                            });
    bound->scratch_bytes = packed_bytes + kernels::conv_scratch_bytes(geometry.kernel, threads);
    bound->kernel = "implicit_gemm_packing";
    return bound;
  }

  ConvSpec spec_;
  std::shared_ptr<PackedConstant> weights_;
};

std::unique_ptr<Prepared> prepare_float_conv(const PrepareContext& context) {
  const Tensor* weights = context.constants.size() > 1 ? context.constants[1] : nullptr;
  if (weights && weights->dtype() != DType::kFloat32) throw unsupported_error("W has type {}", type_string(weights->dtype()));
  return std::make_unique<ConvPrepared>(conv_spec_from_node(context.node, context.opset), weights);
}

}  // namespace

std::unique_ptr<Prepared> prepare_conv(const PrepareContext& context) { return via_float(context, prepare_float_conv); }

}  // namespace sardonyx::ops
