// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear, every version and every type; those of com.microsoft, too.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/quant/requantize.h"
#include "ops/attributes/attributes.h"
#include "ops/cast/cast.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/quantize/quantize.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kGrain = 16 * kRunLength;  // packed elements of two ranges share no byte
constexpr DTypeSet kHalfAndFloat = {DType::kFloat32, DType::kFloat16, DType::kBFloat16};

struct LinearSpec {
  int64_t axis = 1, block_size = 0;
  DType output_dtype = DType::kUndefined, precision = DType::kUndefined;
  core::Overflow overflow = core::Overflow::kSaturate;
};

LinearSpec linear_spec_from_node(const model::Node& node, int64_t opset) {
  LinearSpec spec{.axis = model::get_int(node, "axis", 1),
                  .block_size = get_count(node, "block_size", 0, 0),
                  .output_dtype = get_dtype(node, "output_dtype", kQuantized | kHalfAndFloat),
                  .precision = get_dtype(node, "precision", kFloats)};
  if (node.domain.empty() && opset < 13) spec.axis = 0;  // one scale for all
  if (model::get_int(node, "saturate", 1) == 0) spec.overflow = core::Overflow::kInfinity;
  return spec;
}

// Scales and zero points as doubles, in scratch.
struct Parameters {
  const double *scale, *zero_point;
};
Parameters load_parameters(const RunContext& r) {
  const size_t count = to_size(r.inputs[1].numel());
  auto* scale = reinterpret_cast<double*>(r.scratch);
  load_elements(r.inputs[1].dtype(), r.inputs[1].raw(), 0, count, scale);
  double* zero_point = scale + count;
  if (const Tensor* given = optional(r, 2)) {
    load_elements(given->dtype(), given->raw(), 0, count, zero_point);
  } else {
    std::fill(zero_point, zero_point + count, 0.0);
  }
  return {scale, zero_point};
}

size_t parameter_bytes(const ValueFacts& scale) { return 2 * sizeof(double) * to_size(element_count(scale.shape)); }

// x / scale as the type of the division rounds it.
double divide(DType precision, double x, double scale) noexcept {
  switch (precision) {
    case DType::kFloat16: {
      const float a = Float16::from_float(static_cast<float>(x)).to_float(), b = Float16::from_float(static_cast<float>(scale)).to_float();
      return static_cast<double>(Float16::from_float(a / b).to_float());
    }
    case DType::kBFloat16: {
      const float a = BFloat16::from_float(static_cast<float>(x)).to_float(),
                  b = BFloat16::from_float(static_cast<float>(scale)).to_float();
      return static_cast<double>(BFloat16::from_float(a / b).to_float());
    }
    case DType::kFloat32:
      return static_cast<double>(static_cast<float>(x) / static_cast<float>(scale));
    default:
      return x / scale;
  }
}

struct QuantizeStep {
  QuantLayout layout;
  DType to, precision;
  core::Overflow overflow;

  void run(const RunContext& r) const {
    const Tensor& x = r.inputs[0];
    Tensor& y = r.outputs[0];
    if (y.numel() == 0) return;
    const Parameters p = load_parameters(r);
    void* target = y.mutable_raw();
    if (is_plain(x)) return run_plain(r, static_cast<float>(p.scale[0]), static_cast<int32_t>(p.zero_point[0]));
    if (bit_width(to) < 8) std::memset(target, 0, y.byte_size());  // the unused bits of the last byte
    r.pool.for_ranges(to_size(x.numel()), kGrain, [&](size_t begin, size_t end) {
      double values[kRunLength];
      for (size_t first = begin; first < end; first += kRunLength) {
        const size_t count = std::min(kRunLength, end - first);
        load_elements(x.dtype(), x.raw(), first, count, values);
        quantize_run(p, first, count, values);
        store_elements(CastSpec{.to = to, .overflow = overflow}, to, values, first, count, target);
      }
    });
  }

 private:
  // Floats to bytes with one scale for all.
  bool is_plain(const Tensor& x) const noexcept {
    return layout.has_one_scale() && kBytes.has(to) && x.dtype() == DType::kFloat32 && precision == DType::kFloat32;
  }
  void run_plain(const RunContext& r, float scale, int32_t zero) const {
    const auto* x = input_data<float>(r, 0);
    r.pool.for_ranges(to_size(r.inputs[0].numel()), kGrain, [&](size_t begin, size_t end) {
      with_byte(to, [&]<class T>() { kernels::quantize_floats(x + begin, end - begin, scale, zero, output_data<T>(r, 0) + begin); });
    });
  }

  void quantize_run(const Parameters& p, size_t first, size_t count, double* values) const {
    if (kQuantizedIntegers.has(to)) {
      const QuantRange range = quant_range(to);
      visit_scales(layout, first, count,
                   [&](size_t i, size_t s) { values[i] = quantized(divide(precision, values[i], p.scale[s]), p.zero_point[s], range); });
    } else {
      visit_scales(layout, first, count,
                   [&](size_t i, size_t s) { values[i] = divide(precision, values[i], p.scale[s]) + p.zero_point[s]; });
    }
  }
};

std::unique_ptr<Bound> bind_quantize(const LinearSpec& spec, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "x"), &scale = required(b, 1, "y_scale");
  require_dtype(x, kHalfAndFloat | DTypeSet{DType::kInt32}, "x");
  require_dtype(scale, kHalfAndFloat | DTypeSet{DType::kInt32, DType::kFloat8E8M0}, "y_scale");
  const ValueFacts* zero_point = optional(b, 2);
  DType to = zero_point ? zero_point->dtype : spec.output_dtype;
  if (to == DType::kUndefined) to = DType::kUInt8;
  if (spec.output_dtype != DType::kUndefined && spec.output_dtype != to) {
    throw argument_error("attribute output_dtype asks for {}, y_zero_point has type {}", type_string(spec.output_dtype), type_string(to));
  }
  ValueFacts y = output(to, x.shape);
  require_dtype(y, kQuantized, "y");
  check_zero_point(zero_point, scale, to);
  DType precision = spec.precision != DType::kUndefined ? spec.precision : scale.dtype;
  if (precision == DType::kFloat8E8M0) precision = DType::kFloat32;
  const QuantizeStep step = {quant_layout(x.shape, scale.shape, spec.axis, spec.block_size), to, precision, spec.overflow};
  auto bound = make_bound(std::move(y), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = parameter_bytes(scale);
  return bound;
}

struct DequantizeStep {
  QuantLayout layout;
  DType to;

  void run(const RunContext& r) const {
    const Tensor& x = r.inputs[0];
    if (r.outputs[0].numel() == 0) return;
    const Parameters p = load_parameters(r);
    if (layout.has_one_scale() && kBytes.has(x.dtype()) && to == DType::kFloat32) {
      return run_plain(r, static_cast<float>(p.scale[0]), static_cast<int32_t>(p.zero_point[0]));
    }
    auto* target = static_cast<std::byte*>(r.outputs[0].mutable_raw());
    const size_t bytes = element_bytes(to);
    r.pool.for_ranges(to_size(x.numel()), kGrain, [&](size_t begin, size_t end) {
      double values[kRunLength];
      for (size_t first = begin; first < end; first += kRunLength) {
        const size_t count = std::min(kRunLength, end - first);
        load_elements(x.dtype(), x.raw(), first, count, values);
        visit_scales(layout, first, count, [&](size_t i, size_t s) { values[i] = (values[i] - p.zero_point[s]) * p.scale[s]; });
        store_run<double>(to)(values, count, target + first * bytes);
      }
    });
  }

 private:
  // Bytes to floats with one scale for all.
  void run_plain(const RunContext& r, float scale, int32_t zero) const {
    auto* y = output_data<float>(r, 0);
    r.pool.for_ranges(to_size(r.inputs[0].numel()), kGrain, [&](size_t begin, size_t end) {
      with_byte(r.inputs[0].dtype(),
                [&]<class T>() { kernels::dequantize_bytes(input_data<T>(r, 0) + begin, end - begin, scale, zero, y + begin); });
    });
  }
};

std::unique_ptr<Bound> bind_dequantize(const LinearSpec& spec, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "x"), &scale = required(b, 1, "x_scale");
  require_dtype(x, kQuantized | DTypeSet{DType::kInt32}, "x");
  require_dtype(scale, kHalfAndFloat | DTypeSet{DType::kFloat8E8M0}, "x_scale");
  check_zero_point(optional(b, 2), scale, x.dtype);
  DType to = spec.output_dtype != DType::kUndefined ? spec.output_dtype : scale.dtype;
  if (to == DType::kFloat8E8M0) to = DType::kFloat32;
  ValueFacts y = output(to, x.shape);
  require_dtype(y, kHalfAndFloat, "y");
  const DequantizeStep step = {quant_layout(x.shape, scale.shape, spec.axis, spec.block_size), to};
  auto bound = make_bound(std::move(y), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = parameter_bytes(scale);
  return bound;
}

void run_dynamic_quantize(const RunContext& r, size_t outputs) {
  const std::span<const float> x = r.inputs[0].values<float>();
  const DynamicScale found = dynamic_scale(x);
  if (auto* y = output_data<uint8_t>(r, 0)) quantize_bytes(found, x, y, r.pool);
  if (outputs > 1 && r.outputs[1].defined()) *output_data<float>(r, 1) = found.scale;
  if (outputs > 2 && r.outputs[2].defined()) *output_data<uint8_t>(r, 2) = found.zero;
}

}  // namespace

DynamicScale dynamic_scale(std::span<const float> x) noexcept {
  constexpr size_t kLanes = 16;  // side by side, so that they make vectors; NaN is passed over
  float lower[kLanes] = {}, upper[kLanes] = {};
  for (size_t i = 0; i < x.size(); i += kLanes) {
    const size_t count = std::min(kLanes, x.size() - i);
    for (size_t j = 0; j < count; ++j) {
      lower[j] = x[i + j] < lower[j] ? x[i + j] : lower[j];
      upper[j] = x[i + j] > upper[j] ? x[i + j] : upper[j];
    }
  }
  const float least = *std::min_element(lower, lower + kLanes), most = *std::max_element(upper, upper + kLanes);
  const float scale = most == least ? 1.0f : (most - least) / 255.0f;
  return {scale, static_cast<uint8_t>(quantized(static_cast<double>(-least / scale), 0, {0, 255}))};
}

void quantize_bytes(const DynamicScale& scale, std::span<const float> x, uint8_t* bytes, core::ThreadPool& pool) noexcept {
  pool.for_ranges(x.size(), kGrain, [&](size_t begin, size_t end) {
    kernels::quantize_floats(x.data() + begin, end - begin, scale.scale, scale.zero, bytes + begin);
  });
}

std::unique_ptr<Prepared> prepare_quantize_linear(const PrepareContext& context) {
  return make_prepared(
      [spec = linear_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_quantize(spec, b); });
}

std::unique_ptr<Prepared> prepare_dequantize_linear(const PrepareContext& context) {
  return make_prepared(
      [spec = linear_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_dequantize(spec, b); });
}

std::unique_ptr<Prepared> prepare_dynamic_quantize_linear(const PrepareContext& context) {
  return make_prepared([wanted = wanted_outputs(context.node)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "x");
    require_dtype(x, {DType::kFloat32}, "x");
    std::vector<ValueFacts> facts =
        keep_wanted({output(DType::kUInt8, x.shape), output(DType::kFloat32, {}), output(DType::kUInt8, {})}, wanted);
    return make_bound(std::move(facts), [count = wanted.size()](const RunContext& r) { run_dynamic_quantize(r, count); });
  });
}

}  // namespace sardonyx::ops
