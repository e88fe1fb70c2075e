#include <algorithm>

#include "ops/elements/elements.h"
#include "ops/elementwise/unary.h"
#include "ops/facts.h"
#include "ops/rows.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kGrain = 16 * kRunLength;

// Applies body(values, count) to runs of elements widened to Acc.
template <class Acc, class Body>
void through_runs(DType dtype, const void* x, void* y, size_t size, core::ThreadPool& pool, const Body& body) noexcept {
  const LoadRun<Acc> load = load_run<Acc>(dtype);
  const StoreRun<Acc> store = store_run<Acc>(dtype);
  const size_t bytes = static_cast<size_t>(bit_width(dtype)) / 8;
  pool.for_ranges(size, kGrain, [&](size_t begin, size_t end) {
    Acc values[kRunLength];
    for (size_t i = begin; i < end; i += kRunLength) {
      const size_t count = std::min(kRunLength, end - i);
      load(static_cast<const std::byte*>(x) + i * bytes, 1, count, values);
      body(values, count);
      store(values, count, static_cast<std::byte*>(y) + i * bytes);
    }
  });
}

DTypeSet allowed_types(const UnarySpec& spec) {
  if (!spec.row) return kIntegers;
  if (spec.on_unsigned || spec.integers_in_double) return kNumbers;
  return spec.on_signed ? kFloats | kSignedIntegers : kFloats;
}

template <class Acc>
void map_runs(Acc (*function)(Acc), DType dtype, const void* x, void* y, size_t size, core::ThreadPool& pool) noexcept {
  through_runs<Acc>(dtype, x, y, size, pool, [&](Acc* values, size_t count) { std::transform(values, values + count, values, function); });
}

// Bounds of Clip in any type; null: none.
struct ClipBounds {
  const void *lower = nullptr, *upper = nullptr;
};

template <class Acc>
void clip_runs(DType dtype, const ClipBounds& bounds, const void* x, void* y, size_t size, core::ThreadPool& pool) noexcept {
  const LoadRun<Acc> load = load_run<Acc>(dtype);
  Acc lower{}, upper{};
  if (bounds.lower) load(bounds.lower, 1, 1, &lower);
  if (bounds.upper) load(bounds.upper, 1, 1, &upper);
  through_runs<Acc>(dtype, x, y, size, pool, [&](Acc* values, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (bounds.lower && values[i] < lower) values[i] = lower;
      if (bounds.upper && values[i] > upper) values[i] = upper;
    }
  });
}

void run_clip(const ClipBounds& bounds, DType dtype, const void* x, void* y, size_t size, core::ThreadPool& pool) noexcept {
  if (dtype != DType::kFloat32) {
    return with_accumulator(dtype, [&]<class Acc>() { clip_runs<Acc>(dtype, bounds, x, y, size, pool); });
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const kernels::UnaryParams params = {bounds.lower ? *static_cast<const float*>(bounds.lower) : -kInfinity,
                                       bounds.upper ? *static_cast<const float*>(bounds.upper) : kInfinity};
  kernels::unary(kernels::UnaryOp::kClip, params, static_cast<const float*>(x), static_cast<float*>(y), size, pool);
}

// A step of `bounds(run)` -> ClipBounds, where the run is a RunContext or a RowRun.
template <class Bounds>
std::unique_ptr<Bound> make_clip(const ValueFacts& x, Bounds bounds) {
  auto bound = make_bound(output(x.dtype, x.shape), [bounds](const RunContext& r) {
    run_clip(bounds(r), r.inputs[0].dtype(), r.inputs[0].raw(), r.outputs[0].mutable_raw(), to_size(r.inputs[0].numel()), r.pool);
  });
  const auto map = [bounds, dtype = x.dtype](const RowRun& r, const void* from, void* to, size_t count, core::ThreadPool& pool) {
    run_clip(bounds(r), dtype, from, to, count, pool);
  };
  return with_rows(std::move(bound), map_rows(x.shape, element_bytes(x.dtype), map));
}

void check_bound(const BindContext& context, size_t index, std::string_view name) {
  const ValueFacts* bound = optional(context, index);
  if (!bound) return;
  require_same_dtype(*bound, context.inputs[0], name, "the input");
  if (element_count(bound->shape) != 1) throw argument_error("{} has shape {}; it must be one value", name, to_string(bound->shape));
}

const void* bound_value(const RunContext& r, size_t index) {
  const Tensor* bound = optional(r, index);
  return bound ? bound->raw() : nullptr;
}
const void* bound_value(const RowRun& r, size_t index) { return index < r.inputs.size() ? r.inputs[index].data : nullptr; }

// Until opset 10: bounds are float attributes.
std::unique_ptr<Bound> bind_clip_by_attributes(const BindContext& context, std::optional<float> lower, std::optional<float> upper) {
  const ValueFacts& x = required(context, 0, "input");
  require_dtype(x, kFloats, "input");
  const auto one = [&](std::optional<float> value) { return value ? Tensor::full({}, *value, x.dtype) : Tensor(); };
  return make_clip(x, [lower = one(lower), upper = one(upper)](const auto& /*run*/) {
    return ClipBounds{lower.defined() ? lower.raw() : nullptr, upper.defined() ? upper.raw() : nullptr};
  });
}

std::unique_ptr<Bound> bind_clip_by_inputs(const BindContext& context) {
  const ValueFacts& x = required(context, 0, "input");
  require_dtype(x, kNumbers, "input");
  check_bound(context, 1, "min");
  check_bound(context, 2, "max");
  return make_clip(x, [](const auto& r) { return ClipBounds{bound_value(r, 1), bound_value(r, 2)}; });
}

std::unique_ptr<Bound> in_place(std::unique_ptr<Bound> bound) {
  bound->in_place_input = 0;
  bound->flops = static_cast<double>(element_count(bound->outputs[0].shape));
  return bound;
}

}  // namespace

void run_unary(const UnarySpec& spec, DType dtype, const void* x, void* y, size_t size, core::ThreadPool& pool) noexcept {
  if (dtype == DType::kFloat32) {
    kernels::unary(spec.row->op, spec.params, static_cast<const float*>(x), static_cast<float*>(y), size, pool);
  } else if (dtype == DType::kFloat64 || (spec.integers_in_double && is_integral(dtype))) {
    through_runs<double>(dtype, x, y, size, pool, [&](double* values, size_t count) {
      for (size_t i = 0; i < count; ++i) values[i] = spec.row->oracle(values[i], spec.params);
    });
  } else if (is_floating_point(dtype)) {
    through_runs<float>(dtype, x, y, size, pool,
                        [&](float* values, size_t count) { kernels::unary(spec.row->op, spec.params, values, values, count, pool); });
  } else if (kSignedIntegers.has(dtype)) {
    map_runs(spec.on_signed, dtype, x, y, size, pool);
  } else {
    map_runs(spec.on_unsigned, dtype, x, y, size, pool);
  }
}

std::unique_ptr<Prepared> prepare_unary(const PrepareContext& context) {
  return make_prepared([spec = unary_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, allowed_types(spec), "X");
    auto bound = in_place(make_bound(output(x.dtype, x.shape), [spec, dtype = x.dtype](const RunContext& r) {
      run_unary(spec, dtype, r.inputs[0].raw(), r.outputs[0].mutable_raw(), to_size(r.outputs[0].numel()), r.pool);
    }));
    const auto map = [spec, dtype = x.dtype](const RowRun&, const void* from, void* to, size_t count, core::ThreadPool& pool) {
      run_unary(spec, dtype, from, to, count, pool);
    };
    return with_rows(std::move(bound), map_rows(x.shape, element_bytes(x.dtype), map));
  });
}

std::unique_ptr<Prepared> prepare_clip(const PrepareContext& context) {
  if (context.opset >= 11) return make_prepared([](const BindContext& b) { return in_place(bind_clip_by_inputs(b)); });
  const auto bound = [&](const char* name) {
    return context.node.find_attribute(name) ? std::optional(model::get_float(context.node, name, 0)) : std::nullopt;
  };
  return make_prepared(
      [lower = bound("min"), upper = bound("max")](const BindContext& b) { return in_place(bind_clip_by_attributes(b, lower, upper)); });
}

std::unique_ptr<Prepared> prepare_not(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, {DType::kBool}, "X");
    return in_place(make_bound(output(DType::kBool, x.shape), [](const RunContext& r) {
      std::ranges::transform(r.inputs[0].values<bool>(), r.outputs[0].mutable_values<bool>().begin(), std::logical_not<>());
    }));
  });
}

}  // namespace sardonyx::ops
