// DFT and STFT, every version. Computed in double.
#include <complex>

#include "core/arena.h"
#include "kernels/cpu/fft/fft.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

using Value = std::complex<double>;
constexpr int64_t kMaxLength = int64_t{1} << 24;

int64_t checked_length(int64_t length, std::string_view name) {
  if (length < 1 || length > kMaxLength) throw argument_error("{} is {}; it must lie in [1, {}]", name, length, kMaxLength);
  return length;
}

// The value of a scalar that is known when the operator is bound.
int64_t scalar_value(const ValueFacts& facts, std::string_view name) {
  const std::vector<int64_t> values = integer_values(facts, name);
  if (values.size() != 1) throw argument_error("{} has {} values; it must be a scalar", name, values.size());
  return values[0];
}

void check_components(const ValueFacts& x, std::string_view name) {
  require_dtype(x, kReals, name);
  if (x.shape.size() < 2 || (x.shape.back() != 1 && x.shape.back() != 2)) {
    throw argument_error("{} has shape {}; its last size must be 1 (real) or 2 (complex)", name, to_string(x.shape));
  }
}

size_t line_values(const kernels::Fft& fft) { return core::align_up((fft.size() + fft.scratch_values()) * sizeof(Value)) / sizeof(Value); }

// Lines of one axis between tensors seen as (outer, axis, inner, components).
struct DftStep {
  std::shared_ptr<const kernels::Fft> fft;
  size_t outer = 1, inner = 1, in = 0, out = 0;
  size_t in_parts = 1, out_parts = 2;
  bool from_half = false;  // the input is the first half of a spectrum that is symmetric
  double scale = 1;

  template <class T>
  void run(const RunContext& r) const {
    const T* x = input_data<T>(r, 0);
    T* y = output_data<T>(r, 0);
    auto* scratch = reinterpret_cast<Value*>(r.scratch);
    r.pool.for_each_with_thread(outer * inner, [&](size_t line, size_t thread) {
      Value* values = scratch + thread * line_values(*fft);
      const size_t o = line / inner, i = line % inner;
      load(x + (o * in * inner + i) * in_parts, values);
      fft->transform(values, values + fft->size());
      T* to = y + (o * out * inner + i) * out_parts;
      for (size_t k = 0; k < out; ++k, to += inner * out_parts) {
        to[0] = static_cast<T>(values[k].real() * scale);
        if (out_parts == 2) to[1] = static_cast<T>(values[k].imag() * scale);
      }
    });
  }

 private:
  template <class T>
  void load(const T* x, Value* values) const noexcept {
    const size_t size = fft->size(), given = std::min(in, from_half ? size / 2 + 1 : size);
    std::fill(values, values + size, Value(0));
    for (size_t k = 0; k < given; ++k) {
      const T* from = x + k * inner * in_parts;
      values[k] = {static_cast<double>(from[0]), in_parts == 2 ? static_cast<double>(from[1]) : 0.0};
    }
    if (!from_half) return;
    values[0].imag(0);
    for (size_t k = 1; k <= size - k; ++k) {
      if (k == size - k) {
        values[k].imag(0);
      } else {
        values[size - k] = std::conj(values[k]);
      }
    }
  }
};

struct DftSpec {
  bool inverse = false, onesided = false;
  int64_t axis = -2;
};

std::unique_ptr<Bound> bind_dft(const DftSpec& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "input");
  check_components(x, "input");
  const ValueFacts* axis_input = optional(b, 2);
  const size_t rank = x.shape.size(), axis = checked_axis(axis_input ? scalar_value(*axis_input, "axis") : spec.axis, rank);
  if (axis == rank - 1) throw argument_error("the last axis of input holds complex parts and cannot be transformed");
  const bool to_real = spec.inverse && spec.onesided;
  if (spec.onesided && !spec.inverse && x.shape.back() != 1)
    throw argument_error("onesided needs a real input; input has shape {}", to_string(x.shape));
  const ValueFacts* length_input = optional(b, 1);
  const int64_t fallback = to_real ? 2 * (std::min(x.shape[axis], kMaxLength) - 1) : x.shape[axis];
  const int64_t length = checked_length(length_input ? scalar_value(*length_input, "dft_length") : fallback, "dft_length");
  DftStep step{.fft = std::make_shared<kernels::Fft>(to_size(length), spec.inverse),
               .outer = span_count(x.shape, 0, axis),
               .inner = span_count(x.shape, axis + 1, rank - 1),
               .in = to_size(x.shape[axis]),
               .in_parts = to_size(x.shape.back()),
               .out_parts = to_real ? size_t{1} : size_t{2},
               .from_half = to_real,
               .scale = spec.inverse ? 1 / static_cast<double>(length) : 1.0};
  Shape out = x.shape;
  out[axis] = spec.onesided && !spec.inverse ? length / 2 + 1 : length;
  out.back() = to_int(step.out_parts);
  step.out = to_size(out[axis]);
  auto bound = make_bound(output(x.dtype, out), [step, dtype = x.dtype](const RunContext& r) {
    if (r.outputs[0].numel() != 0) with_real(dtype, [&]<class T>() { step.run<T>(r); });
  });
  bound->scratch_bytes = line_values(*step.fft) * sizeof(Value) * static_cast<size_t>(b.threads);
  return bound;
}

// Frames of each signal of the batch, weighted by the window.
struct StftStep {
  std::shared_ptr<const kernels::Fft> fft;
  size_t batch = 0, samples = 0, parts = 1, step = 1, frames = 0, bins = 0, window = 0;  // window: samples that are not 0

  template <class T>
  void run(const RunContext& r) const {
    const T *x = input_data<T>(r, 0), *weights = input_data<T>(r, 2);
    T* y = output_data<T>(r, 0);
    auto* scratch = reinterpret_cast<Value*>(r.scratch);
    r.pool.for_each_with_thread(batch * frames, [&](size_t frame, size_t thread) {
      Value* values = scratch + thread * line_values(*fft);
      const T* from = x + (frame / frames * samples + frame % frames * step) * parts;
      std::fill(values, values + fft->size(), Value(0));
      for (size_t i = 0; i < window; ++i) {
        const double weight = weights ? static_cast<double>(weights[i]) : 1.0;
        values[i] = {weight * static_cast<double>(from[i * parts]), parts == 2 ? weight * static_cast<double>(from[i * parts + 1]) : 0.0};
      }
      fft->transform(values, values + fft->size());
      T* to = y + frame * bins * 2;
      for (size_t k = 0; k < bins; ++k) {
        to[2 * k] = static_cast<T>(values[k].real());
        to[2 * k + 1] = static_cast<T>(values[k].imag());
      }
    });
  }
};

std::unique_ptr<Bound> bind_stft(bool onesided, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "signal");
  require_rank(x, 3, "signal");
  check_components(x, "signal");
  const int64_t step = checked_length(scalar_value(required(b, 1, "frame_step"), "frame_step"), "frame_step");
  const ValueFacts *window = optional(b, 2), *length_input = optional(b, 3);
  if (window) {
    require_same_dtype(x, *window, "signal", "window");
    require_rank(*window, 1, "window");
  }
  if (!window && !length_input) throw argument_error("neither window nor frame_length tells the length of a frame");
  const int64_t length = checked_length(length_input ? scalar_value(*length_input, "frame_length") : window->shape[0], "frame_length");
  if (window && window->shape[0] != length) throw argument_error("window has {} values, frame_length is {}", window->shape[0], length);
  if (length > x.shape[1]) throw argument_error("frames have {} samples, signal has {}", length, x.shape[1]);
  StftStep stft{.fft = std::make_shared<kernels::Fft>(to_size(length), false),
                .batch = to_size(x.shape[0]),
                .samples = to_size(x.shape[1]),
                .parts = to_size(x.shape[2]),
                .step = to_size(step),
                .frames = to_size((x.shape[1] - length) / step + 1),
                .bins = to_size(onesided ? length / 2 + 1 : length),
                .window = to_size(length)};
  auto bound =
      make_bound(output(x.dtype, {x.shape[0], to_int(stft.frames), to_int(stft.bins), 2}), [stft, dtype = x.dtype](const RunContext& r) {
        if (r.outputs[0].numel() != 0) with_real(dtype, [&]<class T>() { stft.run<T>(r); });
      });
  bound->scratch_bytes = line_values(*stft.fft) * sizeof(Value) * static_cast<size_t>(b.threads);
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_dft(const PrepareContext& context) {
  const DftSpec spec = {.inverse = model::get_int(context.node, "inverse", 0) != 0,
                        .onesided = model::get_int(context.node, "onesided", 0) != 0,
                        .axis = context.opset < 20 ? model::get_int(context.node, "axis", 1) : -2};
  return make_prepared([spec](const BindContext& b) { return bind_dft(spec, b); });
}

std::unique_ptr<Prepared> prepare_wide_stft(const PrepareContext& context) {
  return make_prepared(
      [onesided = model::get_int(context.node, "onesided", 1) != 0](const BindContext& b) { return bind_stft(onesided, b); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_dft(const PrepareContext& context) {
  return make_value_driven(via_float(context, prepare_wide_dft), {.value_inputs = 0b110, .output_types = {}});
}
std::unique_ptr<Prepared> prepare_stft(const PrepareContext& context) {
  return make_value_driven(via_float(context, prepare_wide_stft), {.value_inputs = 0b1010, .output_types = {}});
}

}  // namespace sardonyx::ops
