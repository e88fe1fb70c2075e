// QLinearAveragePool, QLinearGlobalAveragePool and NhwcMaxPool of com.microsoft: bytes, with channels first or last.
#include <algorithm>

#include "core/arena.h"
#include "kernels/cpu/quant/byte_pool.h"
#include "kernels/cpu/quant/requantize.h"
#include "ops/elements/real.h"
#include "ops/pool/pool.h"
#include "ops/quantize/byte_scale.h"
#include "ops/quantize/centered.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct BytePoolSpec {
  PoolSpec pool;
  bool channels_last = false;
};

// Inputs X, x_scale, x_zero_point, y_scale, y_zero_point.
const ValueFacts& checked_input(const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  require_dtype(x, kBytes, "X");
  check_byte_scale(b, {1, 2}, x.dtype, "x");
  check_byte_scale(b, {3, 4}, x.dtype, "y");
  if (x.shape.size() < 3) throw argument_error("X has shape {}; it must have batch, channels and spatial sizes", to_string(x.shape));
  return x;
}

kernels::BytePoolShape pool_shape(const Shape& channels_first, const PoolGeometry& geometry) {
  return {to_size(channels_first[0]), to_size(channels_first[1]), geometry.kernel.window};
}

struct AveragePool {
  BytePoolSpec spec;
  kernels::BytePoolShape shape;
  kernels::Extents pad_end;
  DType dtype;

  Planes planes() const noexcept { return {shape.batch, shape.channels, shape.window.in_size(), spec.channels_last}; }
  size_t plane_bytes() const noexcept { return core::align_up(planes().count() * sizeof(float)); }
  size_t results() const noexcept { return shape.batch * shape.channels * shape.window.out_size(); }
  size_t scratch_bytes() const noexcept { return spec.channels_last ? 0 : plane_bytes() + results() * sizeof(float); }

  void run(const RunContext& r) const {
    if (r.outputs[0].numel() == 0) return;
    with_byte(dtype, [&]<class T>() { run_of<T>(r); });
  }

 private:
  template <class T>
  void run_of(const RunContext& r) const {
    const ByteScale x = byte_scale(r, {1, 2}), y = byte_scale(r, {3, 4});
    const float scale = x.scale / y.scale, zero = static_cast<float>(y.zero);
    if (spec.channels_last) {
      const kernels::ByteMean mean = {x.zero, scale, zero, spec.pool.count_include_pad};
      return kernels::average_pool_channels_last(shape, mean, input_data<T>(r, 0), output_data<T>(r, 0), r.pool);
    }
    // As floats, in which the sums are exact.
    auto *centered = reinterpret_cast<float*>(r.scratch), *means = reinterpret_cast<float*>(r.scratch + plane_bytes());
    center_planes(planes(), r.inputs[0], optional(r, 2), centered, r.pool);
    const kernels::PoolShape pool = {shape.batch * shape.channels, shape.window, pad_end};
    kernels::average_pool(pool, spec.pool.count_include_pad, centered, means, r.pool);
    r.pool.for_ranges(results(), size_t{1} << 14, [&](size_t begin, size_t end) {
      kernels::round_floats(means + begin, end - begin, scale, zero, output_data<T>(r, 0) + begin);
    });
  }
};

std::unique_ptr<Bound> bind_average_pool(const BytePoolSpec& spec, const BindContext& b) {
  const ValueFacts& x = checked_input(b);
  const Shape shape = channels_first(x.shape, spec.channels_last);
  const PoolGeometry geometry = pool_geometry(spec.pool, shape);
  AveragePool step = {spec, pool_shape(shape, geometry), {}, x.dtype};
  // Padding counts with all taps of the kernel, those beyond the end that ceil_mode adds, too.
  for (size_t i = 0; i < kernels::kMaxSpatial; ++i) step.pad_end[i] = geometry.kernel.pad_end[i] + geometry.kernel.window.kernel[i];
  output(DType::kFloat32, x.shape);  // the widened input has to be had, too
  auto bound = make_bound(output(x.dtype, channels_back(geometry.out, spec.channels_last)), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = step.scratch_bytes();
  return bound;
}

struct GlobalAveragePool {
  Planes planes;
  DType dtype;

  void run(const RunContext& r) const {
    if (r.outputs[0].numel() == 0) return;
    with_byte(dtype, [&]<class T>() { run_of<T>(r); });
  }

 private:
  template <class T>
  void run_of(const RunContext& r) const {
    const ByteScale x = byte_scale(r, {1, 2}), y = byte_scale(r, {3, 4});
    auto* sums = reinterpret_cast<int32_t*>(r.scratch);
    if (planes.channels_last) {
      kernels::sum_channels_last(planes.batch, planes.size, planes.channels, input_data<T>(r, 0), sums, r.pool);
    } else {
      kernels::sum_planes(planes.batch * planes.channels, planes.size, input_data<T>(r, 0), sums, r.pool);
    }
    const float scale = x.scale / (y.scale * static_cast<float>(planes.size));
    const int32_t bias = -x.zero * static_cast<int32_t>(planes.size);
    kernels::requantize({.scale = &scale, .zero = &y.zero, .bias = &bias}, sums, planes.batch * planes.channels, output_data<T>(r, 0));
  }
};

std::unique_ptr<Bound> bind_global_average_pool(bool channels_last, const BindContext& b) {
  constexpr int64_t kMostPixels = int64_t{1} << 23;  // whose bytes a sum of 32 bits holds
  const ValueFacts& x = checked_input(b);
  const Shape shape = channels_first(x.shape, channels_last);
  const PoolGeometry geometry = global_pool_geometry(shape);
  const size_t size = geometry.kernel.window.in[0];
  if (to_int(size) > kMostPixels) throw unsupported_error("an image of {} pixels; at most {} are summed", size, kMostPixels);
  const GlobalAveragePool step = {{to_size(shape[0]), to_size(shape[1]), size, channels_last}, x.dtype};
  auto bound = make_bound(output(x.dtype, channels_back(geometry.out, channels_last)), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = step.planes.batch * step.planes.channels * sizeof(int32_t);
  return bound;
}

std::unique_ptr<Bound> bind_max_pool(const PoolSpec& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "x");
  require_dtype(x, kBytes, "x");
  const Shape shape = channels_first(x.shape, true);
  const PoolGeometry geometry = pool_geometry(spec, shape);
  return make_bound(
      output(x.dtype, channels_back(geometry.out, true)), [pool = pool_shape(shape, geometry), dtype = x.dtype](const RunContext& r) {
        if (r.outputs[0].numel() == 0) return;
        with_byte(dtype, [&]<class T>() { kernels::max_pool_channels_last(pool, input_data<T>(r, 0), output_data<T>(r, 0), r.pool); });
      });
}

bool channels_last_of(const PrepareContext& context) { return model::get_int(context.node, "channels_last", 0) != 0; }

}  // namespace

std::unique_ptr<Prepared> prepare_qlinear_average_pool(const PrepareContext& context) {
  const BytePoolSpec spec = {pool_spec_from_node(context.node, context.opset), channels_last_of(context)};
  return make_prepared([spec](const BindContext& b) { return bind_average_pool(spec, b); });
}
std::unique_ptr<Prepared> prepare_qlinear_global_average_pool(const PrepareContext& context) {
  return make_prepared([last = channels_last_of(context)](const BindContext& b) { return bind_global_average_pool(last, b); });
}
std::unique_ptr<Prepared> prepare_nhwc_max_pool(const PrepareContext& context) {
  return make_prepared([spec = pool_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_max_pool(spec, b); });
}

}  // namespace sardonyx::ops
