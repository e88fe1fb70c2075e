#include <fmt/format.h>

#include <algorithm>

#include "core/arena.h"
#include "kernels/cpu/conv/depthwise.h"
#include "kernels/cpu/conv/double_conv.h"
#include "kernels/cpu/conv/winograd.h"
#include "ops/conv/conv.h"
#include "ops/elements/real.h"
#include "ops/rows.h"
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
  return {input_data<float>(r, 0),
          input_data<float>(r, 1),
          {.bias = input_data<float>(r, 2), .residual = input_data<float>(r, 3), .activation = activation}};
}

// Everything in double; the weight is read as it is.
std::unique_ptr<Bound> bind_double(const ConvGeometry& geometry, const kernels::Activation& activation, int threads) {
  auto bound = make_bound(output(DType::kFloat64, geometry.out), [shape = geometry.kernel, activation](const RunContext& r) {
    const kernels::DoubleConvEpilogue epilogue = {input_data<double>(r, 2), input_data<double>(r, 3), activation};
    kernels::double_conv(shape, input_data<double>(r, 0), input_data<double>(r, 1), epilogue, output_data<double>(r, 0), r.scratch, r.pool);
  });
  bound->scratch_bytes = kernels::double_conv_scratch_bytes(geometry.kernel, threads);
  bound->kernel = "double";
  bound->refusals.emplace_back("implicit_gemm: the elements are doubles");
  return bound;
}

// Rows of a convolution of floats. `weights`: packed, or plain (null: input 1) for the depthwise kernel.
class ConvRows final : public RowKernel {
 public:
  ConvRows(const ConvGeometry& geometry, const kernels::Activation& activation, bool is_depthwise, const float* weights,
           std::shared_ptr<const PackedConstant> owner, int threads)
      : shape_(geometry.kernel),
        activation_(activation),
        is_depthwise_(is_depthwise),
        weights_(weights),
        owner_(std::move(owner)),
        threads_(threads) {}

  bool by_rows(size_t input) const noexcept override { return input == 0 || input == 3; }
  RowRange reads(size_t input, RowRange rows) const noexcept override { return input == 0 ? rows_under(shape_.window, rows) : rows; }
  size_t unit() const noexcept override { return shape_.winograd ? kernels::kWinogradRows : 1; }
  size_t constant_bytes() const noexcept override { return kernels::conv_packed_weight_floats(shape_) * sizeof(float); }

  size_t scratch_bytes(size_t rows) const noexcept override {
    return is_depthwise_ ? 0 : kernels::conv_band_scratch_bytes(shape_, rows, threads_);
  }

  void run(const RowRun& r) const noexcept override {
    const ReadRows& x = r.inputs[0];
    const RowRange read = reads(0, r.rows);
    kernels::ConvShape band = shape_;
    band.window = band_window(shape_.window, r.rows, read);
    band.distances = {x.plane<float>(), r.output.plane<float>(), 0};
    kernels::ConvEpilogue epilogue{.bias = whole(r, 2), .residual = nullptr, .activation = activation_};
    if (r.inputs.size() > 3 && r.inputs[3].data) {
      epilogue.residual = r.inputs[3].as<float>(r.rows.begin);
      band.distances.residual = r.inputs[3].plane<float>();
    }
    const float* from = x.as<float>(read.begin);
    auto* y = r.output.as<float>(r.rows.begin);
    const float* weights = weights_ ? weights_ : whole(r, 1);
    if (is_depthwise_) return kernels::depthwise_run(band, from, weights, epilogue, y, r.pool);
    kernels::conv_run(band, from, weights, epilogue, y, r.scratch, r.pool);
  }

 private:
  static const float* whole(const RowRun& r, size_t input) noexcept {
    return input < r.inputs.size() ? reinterpret_cast<const float*>(r.inputs[input].data) : nullptr;
  }

  kernels::ConvShape shape_;
  kernels::Activation activation_;
  bool is_depthwise_;
  const float* weights_;
  std::shared_ptr<const PackedConstant> owner_;
  int threads_;
};

class ConvPrepared final : public Prepared {
 public:
  ConvPrepared(ConvSpec spec, const Tensor* weights)
      : spec_(std::move(spec)), weights_(std::make_shared<PackedConstant>(weights, weights && may_be_depthwise(*weights))) {}

  bool consumed_constant(size_t input) const override { return input == 1 && weights_->is_constant(); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    const ValueFacts& x = required(context, 0, "X");
    const ValueFacts& w = required(context, 1, "W");
    require_dtype(x, kReals, "X");
    require_same_dtype(x, w, "X", "W");
    const ConvGeometry geometry = conv_geometry(spec_, x.shape, w.shape);
    check_addends(context, geometry.out);
    std::unique_ptr<Bound> bound = bind_candidate(context, geometry);
    const double taps = static_cast<double>(span_count(w.shape, 1, w.shape.size()));
    bound->flops = 2.0 * taps * static_cast<double>(element_count(geometry.out));
    return bound;
  }

 private:
  static bool may_be_depthwise(const Tensor& weights) { return weights.dim() > 1 && weights.shape()[1] == 1; }

  static void check_addends(const BindContext& b, const Shape& out) {
    if (const ValueFacts* bias = optional(b, 2)) {
      require_same_dtype(b.inputs[0], *bias, "X", "B");
      if (bias->shape != Shape{out[1]}) throw argument_error("B has shape {}; it must be [{}]", to_string(bias->shape), out[1]);
    }
    if (const ValueFacts* residual = optional(b, 3)) {
      require_same_dtype(b.inputs[0], *residual, "X", "Z");
      if (residual->shape != out) throw argument_error("Z has shape {}, Y has {}", to_string(residual->shape), to_string(out));
    }
  }

  std::unique_ptr<Bound> bind_candidate(const BindContext& context, ConvGeometry geometry) const {
    const DType dtype = context.inputs[0].dtype;
    if (element_count(geometry.out) == 0) return make_bound(output(dtype, geometry.out), [](const RunContext&) {});
    if (dtype == DType::kFloat64) return bind_double(geometry, spec_.activation, context.threads);
    const char* refusal = kernels::depthwise_refuses(geometry.kernel);
    if (!refusal) return bind_depthwise(geometry, context.threads);
    const char* no_winograd = winograd_refusal(context, geometry.kernel);
    geometry.kernel.winograd = !no_winograd;
    std::unique_ptr<Bound> bound = weights_->is_constant() ? bind_packed(geometry, context) : bind_packing(geometry, context.threads);
    if (no_winograd) bound->refusals.insert(bound->refusals.begin(), std::string("winograd: ") + no_winograd);
    bound->refusals.insert(bound->refusals.begin(), std::string("depthwise: ") + refusal);
    return bound;
  }

  const char* winograd_refusal(const BindContext& context, const kernels::ConvShape& shape) const {
    if (!context.winograd) return "the pass is off";
    if (!weights_->is_constant()) return "W is not constant";
    return kernels::winograd_refuses(shape);
  }

  std::unique_ptr<Bound> bind_depthwise(const ConvGeometry& geometry, int threads) const {
    const float* constant = weights_->is_constant() ? weights_->plain() : nullptr;
    auto bound = make_bound(output(DType::kFloat32, geometry.out), [shape = geometry.kernel, activation = spec_.activation, constant,
                                                                    keep = weights_](const RunContext& r) {
      const ConvInputs in = read_inputs(r, activation);
      kernels::depthwise_run(shape, in.x, constant ? constant : in.w, in.epilogue, static_cast<float*>(r.outputs[0].mutable_raw()), r.pool);
    });
    bound->kernel = "depthwise";
    if (!kernels::depthwise_allows_bands(geometry.kernel)) {
      return without_rows(std::move(bound), "its depthwise kernel takes another way for a band than for the whole");
    }
    return with_rows(std::move(bound), std::make_shared<ConvRows>(geometry, spec_.activation, true, constant, weights_, threads));
  }

  std::unique_ptr<Bound> bind_packed(const ConvGeometry& geometry, const BindContext& context) const {
    const kernels::ConvShape& shape = geometry.kernel;
    const std::string layout = fmt::format("{} {} of {}, {} groups, {} taps, {}", shape.winograd ? "winograd" : "conv", shape.out_channels,
                                           shape.in_channels, shape.groups, shape.window.kernel_size(), kernels::packed_layout());
    const float* packed =
        weights_->packed(context.packing, layout, kernels::conv_packed_weight_floats(shape),
                         [&](const float* plain, float* to) { kernels::conv_pack_weights(shape, plain, to, context.packing.pool); });
    auto bound = make_bound(
        output(DType::kFloat32, geometry.out), [shape, activation = spec_.activation, packed, keep = weights_](const RunContext& r) {
          const ConvInputs in = read_inputs(r, activation);
          kernels::conv_run(shape, in.x, packed, in.epilogue, static_cast<float*>(r.outputs[0].mutable_raw()), r.scratch, r.pool);
        });
    bound->scratch_bytes = kernels::conv_scratch_bytes(geometry.kernel, context.threads);
    bound->kernel = shape.winograd ? "winograd" : "implicit_gemm";
    return with_rows(std::move(bound), std::make_shared<ConvRows>(geometry, spec_.activation, false, packed, weights_, context.threads));
  }

  // The weight is an ordinary value: it is packed in each run.
  std::unique_ptr<Bound> bind_packing(const ConvGeometry& geometry, int threads) const {
    const size_t packed_bytes = core::align_up(kernels::conv_packed_weight_floats(geometry.kernel) * sizeof(float));
    auto bound = make_bound(output(DType::kFloat32, geometry.out),
                            [shape = geometry.kernel, activation = spec_.activation, packed_bytes](const RunContext& r) {
                              const ConvInputs in = read_inputs(r, activation);
                              auto* packed = reinterpret_cast<float*>(r.scratch);
                              kernels::conv_pack_weights(shape, in.w, packed, &r.pool);
                              kernels::conv_run(shape, in.x, packed, in.epilogue, static_cast<float*>(r.outputs[0].mutable_raw()),
                                                r.scratch + packed_bytes, r.pool);
                            });
    bound->scratch_bytes = packed_bytes + kernels::conv_scratch_bytes(geometry.kernel, threads);
    bound->kernel = "implicit_gemm_packing";
    bound->refusals.emplace_back("implicit_gemm: the weights are no constant of floats, and are packed in each run");
    return without_rows(std::move(bound), "its weights are no constant of floats, and would be packed for each band");
  }

  ConvSpec spec_;
  std::shared_ptr<PackedConstant> weights_;
};

std::unique_ptr<Prepared> prepare_float_conv(const PrepareContext& context) {
  const Tensor* weights = context.constants.size() > 1 ? context.constants[1] : nullptr;
  if (weights && weights->dtype() != DType::kFloat32) weights = nullptr;  // not packed: an input like the others
  return std::make_unique<ConvPrepared>(conv_spec_from_node(context.node, context.opset), weights);
}

}  // namespace

bool winograd_serves(std::span<const int64_t> weights) {
  if (weights.size() != 4) return false;
  kernels::ConvShape shape;
  shape.out_channels = to_size(weights[0]);
  shape.in_channels = to_size(weights[1]);
  shape.window.kernel = {to_size(weights[2]), to_size(weights[3]), 1};
  return !kernels::winograd_refuses(shape);
}

std::unique_ptr<Prepared> prepare_conv(const PrepareContext& context) { return via_float(context, prepare_float_conv); }

}  // namespace sardonyx::ops
