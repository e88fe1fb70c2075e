// ConvInteger and QLinearConv.
#include "core/arena.h"
#include "kernels/cpu/quant/integer_product.h"
#include "ops/conv/conv.h"
#include "ops/elements/real.h"
#include "ops/quantize/centered.h"
#include "ops/quantize/quantize.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct Places {
  size_t x, x_zero, w, w_zero;
};

bool is_scalar(const Shape& shape) { return shape.empty() || shape == Shape{1}; }

// Scalars, or one value for each output channel.
void check_per_channel(const ValueFacts& facts, int64_t channels, std::string_view name) {
  if (!is_scalar(facts.shape) && facts.shape != Shape{channels}) {
    throw argument_error("{} has shape {}; it must be a scalar or [{}]", name, to_string(facts.shape), channels);
  }
}

// 32-bit sums of a convolution of bytes minus their zero points.
struct CenteredConv {
  Places places;
  ConvGeometry geometry;
  size_t x_count, w_count, x_columns, w_columns;
  PerLine x_zero, w_zero;

  size_t x_bytes() const noexcept { return core::align_up(x_count * sizeof(int16_t)); }
  size_t operand_bytes() const noexcept { return x_bytes() + core::align_up(w_count * sizeof(int16_t)); }
  size_t scratch_bytes(int threads) const noexcept {
    return core::align_up(operand_bytes() + kernels::integer_conv_scratch_bytes(geometry.kernel, threads));
  }

  void run(const RunContext& r, int32_t* y) const {
    auto* x = reinterpret_cast<int16_t*>(r.scratch);
    auto* w = reinterpret_cast<int16_t*>(r.scratch + x_bytes());
    center(r.inputs[places.x], optional(r, places.x_zero), x_zero, x_columns, x, r.pool);
    center(r.inputs[places.w], optional(r, places.w_zero), w_zero, w_columns, w, r.pool);
    kernels::integer_conv(geometry.kernel, x, w, y, r.scratch + operand_bytes(), r.pool);
  }
};

CenteredConv bind_centered(const ConvSpec& spec, const Places& places, const BindContext& b) {
  const ValueFacts &x = required(b, places.x, "x"), &w = required(b, places.w, "w");
  require_dtype(x, kBytes, "x");
  require_dtype(w, kBytes, "w");
  CenteredConv conv{.places = places,
                    .geometry = conv_geometry(spec, x.shape, w.shape),
                    .x_count = to_size(element_count(x.shape)),
                    .w_count = to_size(element_count(w.shape)),
                    .x_columns = std::max<size_t>(to_size(x.shape.back()), 1),
                    .w_columns = span_count(w.shape, 1, w.shape.size()),
                    .x_zero = {},
                    .w_zero = {}};
  if (const ValueFacts* zero = optional(b, places.x_zero)) {
    require_same_dtype(x, *zero, "x", "x_zero_point");
    if (!is_scalar(zero->shape)) throw argument_error("x_zero_point has shape {}; it must be a scalar", to_string(zero->shape));
    conv.x_zero = PerLine(zero->shape, x.shape, false, "x_zero_point");
  }
  if (const ValueFacts* zero = optional(b, places.w_zero)) {
    require_same_dtype(w, *zero, "w", "w_zero_point");
    check_per_channel(*zero, w.shape[0], "w_zero_point");
    conv.w_zero = PerLine(zero->shape, {w.shape[0], to_int(conv.w_columns)}, true, "w_zero_point");
  }
  return conv;
}

std::unique_ptr<Bound> bind_conv_integer(const ConvSpec& spec, const BindContext& b) {
  const CenteredConv conv = bind_centered(spec, {0, 2, 1, 3}, b);
  auto bound = make_bound(output(DType::kInt32, conv.geometry.out), [conv](const RunContext& r) {
    if (r.outputs[0].numel() != 0) conv.run(r, output_data<int32_t>(r, 0));
  });
  bound->scratch_bytes = conv.scratch_bytes(b.threads);
  return bound;
}

struct QLinearConv {
  CenteredConv conv;
  DType to;
  size_t sums_at;

  void run(const RunContext& r) const {
    if (r.outputs[0].numel() == 0) return;
    auto* sums = reinterpret_cast<int32_t*>(r.scratch + sums_at);
    conv.run(r, sums);
    if (to == DType::kInt8) {
      store<int8_t>(r, sums);
    } else {
      store<uint8_t>(r, sums);
    }
  }

 private:
  template <class T>
  void store(const RunContext& r, const int32_t* sums) const {
    const float x_scale = *input_data<float>(r, 1), y_scale = *input_data<float>(r, 6);
    const auto* w_scale = input_data<float>(r, 4);
    const auto* bias = input_data<int32_t>(r, 8);
    const size_t channels = conv.geometry.kernel.out_channels, inner = conv.geometry.kernel.window.out_size();
    const bool per_channel = r.inputs[4].numel() > 1;
    const auto zero = static_cast<double>(*input_data<T>(r, 7));
    T* y = output_data<T>(r, 0);
    r.pool.for_each(conv.geometry.kernel.batch * channels, [&](size_t plane) {
      const size_t c = plane % channels;
      const double scale = static_cast<double>(x_scale * w_scale[per_channel ? c : 0] / y_scale);
      for (size_t i = plane * inner; i < (plane + 1) * inner; ++i) {
        const auto sum = static_cast<double>(int64_t{sums[i]} + (bias ? bias[c] : 0));
        y[i] = static_cast<T>(quantized(sum * scale, zero, quant_range(to)));
      }
    });
  }
};

std::unique_ptr<Bound> bind_qlinear_conv(const ConvSpec& spec, const BindContext& b) {
  CenteredConv conv = bind_centered(spec, {0, 2, 3, 5}, b);
  const int64_t channels = conv.geometry.out[1];
  for (const auto& [index, name] : {std::pair{size_t{1}, "x_scale"}, {size_t{4}, "w_scale"}, {size_t{6}, "y_scale"}}) {
    const ValueFacts& scale = required(b, index, name);
    require_dtype(scale, {DType::kFloat32}, name);
    if (index == 4) {
      check_per_channel(scale, channels, name);
    } else if (!is_scalar(scale.shape)) {
      throw argument_error("{} has shape {}; it must be a scalar", name, to_string(scale.shape));
    }
  }
  const ValueFacts& y_zero = required(b, 7, "y_zero_point");
  require_dtype(y_zero, kBytes, "y_zero_point");
  if (!is_scalar(y_zero.shape)) throw argument_error("y_zero_point has shape {}; it must be a scalar", to_string(y_zero.shape));
  if (const ValueFacts* bias = optional(b, 8)) {
    require_dtype(*bias, {DType::kInt32}, "B");
    if (bias->shape != Shape{channels}) throw argument_error("B has shape {}; it must be [{}]", to_string(bias->shape), channels);
  }
  ValueFacts y = output(y_zero.dtype, conv.geometry.out);
  const size_t count = to_size(element_count(y.shape));
  const size_t sums_at = conv.scratch_bytes(b.threads);
  const QLinearConv step = {std::move(conv), y_zero.dtype, sums_at};
  auto bound = make_bound(std::move(y), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = step.sums_at + count * sizeof(int32_t);
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_conv_integer(const PrepareContext& context) {
  return make_prepared(
      [spec = conv_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_conv_integer(spec, b); });
}
std::unique_ptr<Prepared> prepare_qlinear_conv(const PrepareContext& context) {
  return make_prepared(
      [spec = conv_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_qlinear_conv(spec, b); });
}

}  // namespace sardonyx::ops
