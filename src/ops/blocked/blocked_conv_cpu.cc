#include <fmt/format.h>

#include "core/arena.h"
#include "kernels/cpu/blocked/conv.h"
#include "ops/blocked/blocked.h"
#include "ops/conv/conv.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/weights/packed_constant.h"

namespace sardonyx::ops {
namespace {

struct BlockedGeometry {
  kernels::BlockedConvShape kernel;
  Shape out;
};

// X as Conv would see it.
Shape plain_shape(const ConvSpec& spec, const ValueFacts& x, const ValueFacts& w) {
  if (x.shape.size() == 4) {
    require_dtype(x, {DType::kFloat32}, "X");
    return x.shape;
  }
  const BlockedImage image = blocked_image(x, "X");
  int64_t channels = 0;
  if (__builtin_mul_overflow(w.shape[1], spec.groups, &channels) || channel_blocks(channels) != image.blocks) {
    throw argument_error("X of shape {} does not hold the {} channels of each of {} groups that W of shape {} wants", to_string(x.shape),
                         w.shape[1], spec.groups, to_string(w.shape));
  }
  return {image.batch, channels, image.height, image.width};
}

// A plain input is copied with its padding, a task's lines at a time: this bounds them all.
void check_padded_size(const kernels::ConvShape& shape) {
  double floats = static_cast<double>(shape.in_channels);
  for (size_t i = 0; i < 2; ++i) {
    const kernels::Window& w = shape.window;
    floats *= (static_cast<double>(w.out[i]) - 1) * static_cast<double>(w.stride[i]) +
              (static_cast<double>(w.kernel[i]) - 1) * static_cast<double>(w.dilation[i]) + 1;
  }
  if (floats * sizeof(float) <= static_cast<double>(tensor_byte_limit())) return;
  throw Error(ErrorCode::kResourceLimit,
              fmt::format("X with its padding takes {:.3g} bytes, more than this machine has", floats * sizeof(float)));
}

BlockedGeometry geometry_of(const ConvSpec& spec, const ValueFacts& x, const ValueFacts& w) {
  require_dtype(w, {DType::kFloat32}, "W");
  require_rank(w, 4, "W");
  const ConvGeometry plain = conv_geometry(spec, plain_shape(spec, x, w), w.shape);
  BlockedGeometry geometry{.kernel = {plain.kernel, x.shape.size() == 4}, .out = {}};
  if (const char* refusal = kernels::blocked_conv_refuses(geometry.kernel)) {
    throw unsupported_error("no blocked convolution of W of shape {} with {} groups: {}", to_string(w.shape), spec.groups, refusal);
  }
  if (geometry.kernel.plain_input) check_padded_size(plain.kernel);
  geometry.out = {plain.out[0], channel_blocks(plain.out[1]), plain.out[2], plain.out[3], to_int(kernels::block_lanes())};
  return geometry;
}

kernels::ConvEpilogue epilogue_of(const RunContext& r, const kernels::Activation& activation) {
  return {.bias = input_data<float>(r, 2), .residual = input_data<float>(r, 3), .activation = activation};
}

class BlockedConvPrepared final : public Prepared {
 public:
  BlockedConvPrepared(ConvSpec spec, const Tensor* weights)
      : spec_(std::move(spec)), weights_(std::make_shared<PackedConstant>(weights, false)) {}

  bool consumed_constant(size_t input) const override { return input == 1 && weights_->is_constant(); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    const ValueFacts& w = required(context, 1, "W");
    const BlockedGeometry geometry = geometry_of(spec_, required(context, 0, "X"), w);
    check_addends(context, geometry.out, w.shape[0]);
    std::unique_ptr<Bound> bound = element_count(geometry.out) == 0
                                       ? make_bound(output(DType::kFloat32, geometry.out), [](const RunContext&) {})
                                   : weights_->is_constant() ? bind_packed(geometry, context)
                                                             : bind_packing(geometry, context.threads);
    const double outputs = static_cast<double>(w.shape[0]) * static_cast<double>(geometry.out[0] * geometry.out[2] * geometry.out[3]);
    bound->flops = 2.0 * static_cast<double>(span_count(w.shape, 1, 4)) * outputs;
    return bound;
  }

 private:
  static void check_addends(const BindContext& b, const Shape& out, int64_t channels) {
    if (const ValueFacts* bias = optional(b, 2)) {
      require_dtype(*bias, {DType::kFloat32}, "B");
      if (bias->shape != Shape{channels}) throw argument_error("B has shape {}; it must be [{}]", to_string(bias->shape), channels);
    }
    if (const ValueFacts* residual = optional(b, 3)) {
      require_dtype(*residual, {DType::kFloat32}, "Z");
      if (residual->shape != out) throw argument_error("Z has shape {}, Y has {}", to_string(residual->shape), to_string(out));
    }
  }

  static const char* kernel_name(const kernels::BlockedConvShape& shape) {
    if (shape.plain_input) return "blocked_from_plain";
    return shape.conv.groups > 1 && shape.conv.groups == shape.conv.in_channels ? "blocked_depthwise" : "blocked_direct";
  }

  std::unique_ptr<Bound> bind_packed(const BlockedGeometry& geometry, const BindContext& context) const {
    const kernels::BlockedConvShape& shape = geometry.kernel;
    const std::string layout = fmt::format("blocked conv {} of {}{}, {} groups, {} taps, {}", shape.conv.out_channels,
                                           shape.conv.in_channels, shape.plain_input ? " plain" : "", shape.conv.groups,
                                           shape.conv.window.kernel_size(), kernels::blocked_packed_layout());
    const float* packed =
        weights_->packed(context.packing, layout, kernels::blocked_conv_packed_floats(shape),
                         [&](const float* plain, float* to) { kernels::blocked_conv_pack(shape, plain, to, context.packing.pool); });
    auto bound = make_bound(output(DType::kFloat32, geometry.out),
                            [shape, activation = spec_.activation, packed, keep = weights_](const RunContext& r) {
                              kernels::blocked_conv_run(shape, input_data<float>(r, 0), packed, epilogue_of(r, activation),
                                                        output_data<float>(r, 0), r.scratch, r.pool);
                            });
    bound->scratch_bytes = kernels::blocked_conv_scratch_bytes(shape, context.threads);
    bound->kernel = kernel_name(shape);
    return bound;
  }

  // The weight is an ordinary value: it is packed in each run.
  std::unique_ptr<Bound> bind_packing(const BlockedGeometry& geometry, int threads) const {
    const kernels::BlockedConvShape& shape = geometry.kernel;
    const size_t packed_bytes = core::align_up(kernels::blocked_conv_packed_floats(shape) * sizeof(float));
    auto bound =
        make_bound(output(DType::kFloat32, geometry.out), [shape, activation = spec_.activation, packed_bytes](const RunContext& r) {
          auto* packed = reinterpret_cast<float*>(r.scratch);
          kernels::blocked_conv_pack(shape, input_data<float>(r, 1), packed, &r.pool);
          kernels::blocked_conv_run(shape, input_data<float>(r, 0), packed, epilogue_of(r, activation), output_data<float>(r, 0),
                                    r.scratch + packed_bytes, r.pool);
        });
    bound->scratch_bytes = packed_bytes + kernels::blocked_conv_scratch_bytes(shape, threads);
    bound->kernel = "blocked_packing";
    return bound;
  }

  ConvSpec spec_;
  std::shared_ptr<PackedConstant> weights_;
};

}  // namespace

std::unique_ptr<Prepared> prepare_blocked_conv(const PrepareContext& context) {
  const Tensor* weights = context.constants.size() > 1 ? context.constants[1] : nullptr;
  if (weights && weights->dtype() != DType::kFloat32) weights = nullptr;  // bind refuses it
  return std::make_unique<BlockedConvPrepared>(conv_spec_from_node(context.node, context.opset), weights);
}

}  // namespace sardonyx::ops
