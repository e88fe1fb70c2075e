// ConvInteger and QLinearConv, that of ai.onnx and that of com.microsoft (which has channels_last).
#include "kernels/cpu/quant/integer_conv.h"

#include <algorithm>

#include "core/arena.h"
#include "kernels/cpu/quant/requantize.h"
#include "ops/conv/conv.h"
#include "ops/elements/real.h"
#include "ops/quantize/centered.h"
#include "ops/quantize/integer_product.h"
#include "ops/quantize/quantize.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct Places {
  size_t x, x_zero, w, w_zero;
};

struct IntegerConvSpec {
  ConvSpec conv;
  bool channels_last = false;
};

// Scalars, or one value for each output channel.
void check_per_channel(const ValueFacts& facts, int64_t channels, std::string_view name) {
  if (!is_one_value(facts.shape) && facts.shape != Shape{channels}) {
    throw argument_error("{} has shape {}; it must be a scalar or [{}]", name, to_string(facts.shape), channels);
  }
}

// 32-bit sums of a convolution of bytes minus their zero points.
struct CenteredConv {
  Places places;
  kernels::IntegerConv kernel;
  Planes planes;                    // of x
  kernels::IntegerLines w;          // data and zero points come at run time
  Shape out;                        // in the order of x
  const int16_t* packed = nullptr;  // of constant weights
  ConstantOperand keep = {};

  size_t x_bytes() const noexcept { return core::align_up(planes.count() * sizeof(int16_t)); }
  size_t packed_count() const noexcept { return kernel.shape.groups * kernel.packed_group(); }
  size_t operand_bytes() const noexcept { return x_bytes() + (packed ? 0 : core::align_up(packed_count() * sizeof(int16_t))); }
  size_t scratch_bytes(int threads) const noexcept { return operand_bytes() + kernels::integer_conv_scratch_bytes(threads); }

  template <class Sink>
  void run(const RunContext& r, const Sink& sink) const {
    if (r.outputs[0].numel() == 0) return;
    auto* x = reinterpret_cast<int16_t*>(r.scratch);
    center_planes(planes, r.inputs[places.x], optional(r, places.x_zero), x, r.pool);
    const int16_t* weights = packed;
    if (!weights) {
      auto* to = reinterpret_cast<int16_t*>(r.scratch + x_bytes());
      pack(source_of(r, places.w, places.w_zero), to, r.pool);
      weights = to;
    }
    kernels::integer_conv(kernel, x, weights, r.scratch + operand_bytes(), r.pool, sink);
  }

  void pack(const IntegerSource& from, int16_t* to, core::ThreadPool& pool) const noexcept {
    kernels::IntegerLines lines = w;
    lines.data = from.data;
    lines.zero = from.zero;
    kernels::pack_integer_weights(kernel, lines, to, pool);
  }
};

void check_zero_points(const BindContext& b, const Places& places) {
  const ValueFacts &x = b.inputs[places.x], &w = b.inputs[places.w];
  if (const ValueFacts* zero = optional(b, places.x_zero)) {
    require_same_dtype(x, *zero, "x", "x_zero_point");
    check_one_value(*zero, "x_zero_point");
  }
  if (const ValueFacts* zero = optional(b, places.w_zero)) {
    require_same_dtype(w, *zero, "w", "w_zero_point");
    check_per_channel(*zero, w.shape.empty() ? 0 : w.shape[0], "w_zero_point");
  }
}

CenteredConv bind_centered(const IntegerConvSpec& spec, const Places& places, const BindContext& b, const ConstantOperand& constant) {
  const ValueFacts &x = required(b, places.x, "x"), &w = required(b, places.w, "w");
  require_dtype(x, kBytes, "x");
  require_dtype(w, kBytes, "w");
  check_zero_points(b, places);
  const ConvGeometry geometry = conv_geometry(spec.conv, channels_first(x.shape, spec.channels_last), w.shape);
  CenteredConv conv{.places = places,
                    .kernel = {geometry.kernel, spec.channels_last},
                    .planes = {geometry.kernel.batch, geometry.kernel.in_channels, geometry.kernel.window.in_size(), spec.channels_last},
                    .w = {},
                    .out = channels_back(geometry.out, spec.channels_last)};
  conv.w.kind = integer_kind(w.dtype);
  conv.w.line_stride = static_cast<ptrdiff_t>(conv.kernel.depth());
  const ValueFacts* zero = optional(b, places.w_zero);
  conv.w.zero_line_stride = zero && element_count(zero->shape) > 1 ? 1 : 0;
  output(DType::kInt16, x.shape);  // the widened input has to be had, too
  if (constant.is_constant() && element_count(w.shape) > 0) {
    conv.packed =
        constant.packed(conv.packed_count(), [&](const IntegerSource& from, int16_t* to) { conv.pack(from, to, core::shared_pool()); });
    conv.keep = constant;
  }
  return conv;
}

// Where the sums of a row of a tile go: `count` elements of y from `at` on, `step` apart. A row is one channel of several outputs, or one
// output of several channels.
struct Run {
  size_t at, count, step;
};

Run run_of(const CenteredConv& conv, const kernels::IntegerConvTile& tile, size_t row) noexcept {
  const size_t channels = conv.kernel.shape.out_channels, outputs = conv.kernel.shape.window.out_size();
  const bool is_output = conv.kernel.outputs_are_rows();
  const size_t output = tile.first_output + (is_output ? row : 0), channel = tile.first_channel + (is_output ? 0 : row);
  const size_t count = is_output ? tile.channels : tile.outputs;
  if (!conv.kernel.channels_last) return {(tile.image * channels + channel) * outputs + output, count, 1};
  return {(tile.image * outputs + output) * channels + channel, count, is_output ? 1 : channels};
}

// Calls make(row, count, T* to) for each row of a tile, which writes the results of its sums one after another.
template <class T, class Make>
void store_rows(const CenteredConv& conv, const kernels::IntegerConvTile& tile, T* y, const Make& make) {
  const size_t rows = conv.kernel.outputs_are_rows() ? tile.outputs : tile.channels;
  for (size_t row = 0; row < rows; ++row) {
    const Run run = run_of(conv, tile, row);
    if (run.step == 1) {
      make(row, run.count, y + run.at);
      continue;
    }
    T results[kernels::kMostTileOutputs];
    make(row, run.count, results);
    for (size_t i = 0; i < run.count; ++i) y[run.at + i * run.step] = results[i];
  }
}

std::unique_ptr<Bound> bind_conv_integer(const IntegerConvSpec& spec, const BindContext& b, const ConstantOperand& constant) {
  const CenteredConv conv = bind_centered(spec, {0, 2, 1, 3}, b, constant);
  auto bound = make_bound(output(DType::kInt32, conv.out), [conv](const RunContext& r) {
    auto* y = output_data<int32_t>(r, 0);
    conv.run(r, [&](const kernels::IntegerConvTile& tile) {
      store_rows(conv, tile, y, [&](size_t row, size_t count, int32_t* to) { std::copy_n(tile.sums + row * tile.stride, count, to); });
    });
  });
  bound->scratch_bytes = conv.scratch_bytes(b.threads);
  return bound;
}

struct QLinearConv {
  CenteredConv conv;
  DType to;
  size_t scales_at;

  size_t channels() const noexcept { return conv.kernel.shape.out_channels; }

  void run(const RunContext& r) const {
    auto* scales = reinterpret_cast<float*>(r.scratch + scales_at);
    const float x_scale = *input_data<float>(r, 1), y_scale = *input_data<float>(r, 6);
    const size_t step = r.inputs[4].numel() > 1 ? 1 : 0;
    for (size_t c = 0; c < channels(); ++c) scales[c] = x_scale * input_data<float>(r, 4)[c * step] / y_scale;
    with_byte(to, [&]<class T>() { store<T>(r, scales); });
  }

 private:
  template <class T>
  void store(const RunContext& r, const float* scales) const {
    const auto* bias = input_data<int32_t>(r, 8);
    const int32_t zero = *input_data<T>(r, 7);
    T* y = output_data<T>(r, 0);
    const size_t step = conv.kernel.outputs_are_rows() ? 1 : 0;
    conv.run(r, [&](const kernels::IntegerConvTile& tile) {
      store_rows(conv, tile, y, [&](size_t row, size_t count, T* to_row) {
        const size_t channel = tile.first_channel + (step == 0 ? row : 0);
        const kernels::Requantizer requantizer = {
            .scale = scales + channel, .scale_step = step, .zero = &zero, .bias = bias ? bias + channel : nullptr, .bias_step = step};
        kernels::requantize(requantizer, tile.sums + row * tile.stride, count, to_row);
      });
    });
  }
};

void check_quantization(const BindContext& b, int64_t channels) {
  for (const auto& [index, name] : {std::pair{size_t{1}, "x_scale"}, {size_t{4}, "w_scale"}, {size_t{6}, "y_scale"}}) {
    const ValueFacts& scale = required(b, index, name);
    require_dtype(scale, {DType::kFloat32}, name);
    if (index == 4) {
      check_per_channel(scale, channels, name);
    } else {
      check_one_value(scale, name);
    }
  }
  const ValueFacts& y_zero = required(b, 7, "y_zero_point");
  require_dtype(y_zero, kBytes, "y_zero_point");
  check_one_value(y_zero, "y_zero_point");
  if (const ValueFacts* bias = optional(b, 8)) {
    require_dtype(*bias, {DType::kInt32}, "B");
    if (bias->shape != Shape{channels}) throw argument_error("B has shape {}; it must be [{}]", to_string(bias->shape), channels);
  }
}

std::unique_ptr<Bound> bind_qlinear_conv(const IntegerConvSpec& spec, const BindContext& b, const ConstantOperand& constant) {
  CenteredConv conv = bind_centered(spec, {0, 2, 3, 5}, b, constant);
  const size_t channels = conv.kernel.shape.out_channels;
  check_quantization(b, to_int(channels));
  ValueFacts y = output(b.inputs[7].dtype, conv.out);
  const size_t scales_at = conv.scratch_bytes(b.threads);
  const QLinearConv step = {std::move(conv), b.inputs[7].dtype, scales_at};
  auto bound = make_bound(std::move(y), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = scales_at + channels * sizeof(float);
  return bound;
}

IntegerConvSpec spec_from_node(const PrepareContext& context) {
  return {conv_spec_from_node(context.node, context.opset), model::get_int(context.node, "channels_last", 0) != 0};
}

}  // namespace

std::unique_ptr<Prepared> prepare_conv_integer(const PrepareContext& context) {
  return prepare_integer_product(context, 1, 3, [spec = spec_from_node(context)](const BindContext& b, const ConstantOperand& constant) {
    return bind_conv_integer(spec, b, constant);
  });
}
std::unique_ptr<Prepared> prepare_qlinear_conv(const PrepareContext& context) {
  return prepare_integer_product(context, 3, 5, [spec = spec_from_node(context)](const BindContext& b, const ConstantOperand& constant) {
    return bind_qlinear_conv(spec, b, constant);
  });
}

}  // namespace sardonyx::ops
