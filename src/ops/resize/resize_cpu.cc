#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/arena.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/movement/element.h"
#include "ops/resize/resize.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kGrain = 1 << 14;

struct Pass {
  kernels::AxisTaps taps;
  size_t outer = 1, inner = 1;

  size_t in_count() const noexcept { return outer * taps.in * inner; }
  size_t out_count() const noexcept { return outer * taps.out * inner; }
};

// One pass for each axis that changes, those that shrink first, on the shape that the passes before leave.
std::vector<Pass> make_passes(const ResizeSpec& spec, const std::vector<ResizedAxis>& axes) {
  std::vector<size_t> order;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (!is_unchanged(spec, axes[i])) order.push_back(i);
  }
  const auto growth = [&](size_t i) { return static_cast<double>(axes[i].out) / static_cast<double>(axes[i].in); };
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return growth(a) < growth(b); });
  Shape shape;
  for (const ResizedAxis& axis : axes) shape.push_back(axis.in);
  std::vector<Pass> passes;
  for (const size_t i : order) {
    passes.push_back({axis_taps(spec, axes[i]), span_count(shape, 0, i), span_count(shape, i + 1, shape.size())});
    shape[i] = axes[i].out;
  }
  return passes;
}

// The input unchanged, or nothing at all.
std::unique_ptr<Bound> bind_trivial(ValueFacts y, const Shape& x) {
  if (y.shape == x) return make_alias(std::move(y));
  return make_bound(std::move(y), [](const RunContext&) {});
}

// Linear and cubic: passes in float or double between two buffers, then rounded to the element type.
struct FilterStep {
  std::vector<Pass> passes = {};
  DType dtype, wide;
  size_t buffer_bytes;

  void run(const RunContext& r) const {
    if (r.outputs[0].numel() != 0) with_real(wide, [&]<class T>() { run_typed<T>(r); });
  }

 private:
  template <class T>
  void run_typed(const RunContext& r) const {
    T* buffers[2] = {reinterpret_cast<T*>(r.scratch), reinterpret_cast<T*>(r.scratch + buffer_bytes)};
    const T* from = static_cast<const T*>(r.inputs[0].raw());
    if (dtype != wide) {
      widen(r, buffers[0]);
      from = buffers[0];
    }
    for (size_t i = 0; i < passes.size(); ++i) {
      const bool is_last = i + 1 == passes.size();
      T* to = is_last && dtype == wide ? output_data<T>(r, 0) : buffers[(i + 1) % 2];
      kernels::resample_axis<T>(passes[i].taps, passes[i].outer, passes[i].inner, from, to, r.pool);
      from = to;
    }
    if (dtype != wide) narrow(r, const_cast<T*>(from));
  }

  template <class T>
  void widen(const RunContext& r, T* to) const {
    const auto* from = static_cast<const std::byte*>(r.inputs[0].raw());
    const size_t bytes = element_bytes(dtype);
    r.pool.for_ranges(to_size(r.inputs[0].numel()), kGrain,
                      [&](size_t begin, size_t end) { load_run<T>(dtype)(from + begin * bytes, 1, end - begin, to + begin); });
  }

  // Integers are rounded to the nearest; `values` is a buffer that may be overwritten.
  template <class T>
  void narrow(const RunContext& r, T* values) const {
    auto* to = static_cast<std::byte*>(r.outputs[0].mutable_raw());
    const size_t bytes = element_bytes(dtype);
    r.pool.for_ranges(to_size(r.outputs[0].numel()), kGrain, [&](size_t begin, size_t end) {
      if (is_integral(dtype)) {
        for (size_t i = begin; i < end; ++i) values[i] = std::nearbyint(values[i]);
      }
      store_run<T>(dtype)(values + begin, end - begin, to + begin * bytes);
    });
  }
};

std::unique_ptr<Bound> bind_filter(ValueFacts y, const Shape& x, const ResizeSpec& spec, const std::vector<ResizedAxis>& axes) {
  constexpr DTypeSet kInFloat = {DType::kFloat32, DType::kFloat16, DType::kBFloat16};
  constexpr DTypeSet kFiltered = kNumbers | DTypeSet{DType::kBool};
  require_dtype(y, kFiltered, "X");
  const DType wide = kInFloat.has(y.dtype) ? DType::kFloat32 : DType::kFloat64;
  FilterStep step{.dtype = y.dtype, .wide = wide, .buffer_bytes = 0};
  if (element_count(y.shape) != 0) step.passes = make_passes(spec, axes);
  if (step.passes.empty()) return bind_trivial(std::move(y), x);
  size_t most = 0;
  for (const Pass& pass : step.passes) most = std::max({most, pass.in_count(), pass.out_count()});
  step.buffer_bytes = core::align_up(most * element_bytes(wide));
  const size_t scratch = 2 * step.buffer_bytes;
  auto bound = make_bound(std::move(y), [step = std::move(step)](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = scratch;
  bound->kernel = "filter";
  return bound;
}

// Nearest: elements are moved, whatever their type.
struct NearestStep {
  std::vector<kernels::AxisTaps> axes = {};  // of all dimensions
  bool has_outside;

  template <class T>
  void run(const RunContext& r, const T& fill) const {
    const T* x = static_cast<const T*>(r.inputs[0].raw());
    T* y = static_cast<T*>(r.outputs[0].mutable_raw());
    const kernels::AxisTaps& last = axes.back();
    r.pool.for_each(to_size(r.outputs[0].numel()) / last.out, [&](size_t row) {
      T* to = y + row * last.out;
      size_t from = 0, step = last.in, rest = row;
      bool outside = false;
      for (size_t i = axes.size() - 1; i-- > 0; rest /= axes[i].out, step *= axes[i].in) {
        const size_t o = rest % axes[i].out;
        from += axes[i].positions[o] * step;
        outside |= has_outside && axes[i].outside[o];
      }
      for (size_t o = 0; o < last.out; ++o) {
        to[o] = outside || (has_outside && last.outside[o]) ? fill : x[from + last.positions[o]];
      }
    });
  }
};

// One element of the type with the value.
template <class T>
T fill_element(DType dtype, double value) {
  T element{};
  if constexpr (!std::is_same_v<T, std::string>) {
    if (const auto store = store_run<double>(dtype)) store(&value, 1, &element);
  }
  return element;
}

std::unique_ptr<Bound> bind_nearest(ValueFacts y, const Shape& x, const ResizeSpec& spec, const std::vector<ResizedAxis>& axes) {
  const bool unchanged = std::ranges::all_of(axes, [&](const ResizedAxis& axis) { return is_unchanged(spec, axis); });
  if (unchanged || element_count(y.shape) == 0) return bind_trivial(std::move(y), x);
  NearestStep step{.has_outside = spec.coordinates == Coordinates::kCropAndResize};
  for (const ResizedAxis& axis : axes) step.axes.push_back(axis_taps(spec, axis));
  const DType dtype = y.dtype;
  element_bytes(dtype);  // refuses packed types
  return make_bound(std::move(y), [step = std::move(step), dtype, fill = spec.extrapolation](const RunContext& r) {
    with_element(dtype, [&]<class T>() { step.run<T>(r, fill_element<T>(dtype, fill)); });
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_resize(const PrepareContext& context) {
  const ResizeSpec spec = resize_spec_from_node(context.node, context.opset);
  auto prepared = make_prepared([spec](const BindContext& b) {
    const std::vector<ResizedAxis> axes = resized_axes(spec, b);
    Shape out;
    for (const ResizedAxis& axis : axes) out.push_back(axis.out);
    ValueFacts y = output(b.inputs[0].dtype, std::move(out));
    const Shape& x = b.inputs[0].shape;
    return spec.mode == ResizeMode::kNearest ? bind_nearest(std::move(y), x, spec, axes) : bind_filter(std::move(y), x, spec, axes);
  });
  return make_value_driven(std::move(prepared), {.value_inputs = spec.value_inputs(), .output_types = {}});
}

}  // namespace sardonyx::ops
