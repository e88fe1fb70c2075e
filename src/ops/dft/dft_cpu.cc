// DFT and STFT, every version. Computed in the type of the signal; float16 and bfloat16 in float.
#include <complex>

#include "core/arena.h"
#include "kernels/cpu/fft/fft.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

constexpr int64_t kMaxLength = int64_t{1} << 24;
constexpr size_t kPiece = size_t{1} << 15;  // values that are moved without asking whether the run is to end

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

// The transform of one line after the other: a transform of real signals, whose spectrum is known by its first half, or one of complex
// ones.
template <class T>
class LineTransform {
 public:
  using Value = std::complex<T>;

  LineTransform() = default;
  LineTransform(int64_t length, bool is_real, bool inverse) {
    if (is_real) {
      real_ = std::make_shared<kernels::RealFft<T>>(to_size(length));
    } else {
      complex_ = std::make_shared<kernels::Fft<T>>(to_size(length), inverse);
    }
  }

  bool is_real() const noexcept { return real_ != nullptr; }
  size_t size() const noexcept { return real_ ? real_->size() : complex_->size(); }
  // The scratch of one thread: a line, then what the transform needs.
  size_t values_per_thread() const noexcept {
    const size_t more = real_ ? real_->scratch_values() : complex_->scratch_values();
    return core::align_up((size() + more) * sizeof(Value)) / sizeof(Value);
  }
  size_t scratch_bytes(int threads) const noexcept { return values_per_thread() * sizeof(Value) * static_cast<size_t>(threads); }

  // A real line is an array of size() real numbers at the place of its values; value() tells its spectrum.
  void operator()(Value* line) const noexcept {
    if (real_) {
      real_->transform(line, line + size());
    } else {
      complex_->transform(line, line + size());
    }
  }
  Value value(const Value* line, size_t k) const noexcept { return real_ && k > size() / 2 ? std::conj(line[size() - k]) : line[k]; }

 private:
  std::shared_ptr<const kernels::RealFft<T>> real_;
  std::shared_ptr<const kernels::Fft<T>> complex_;
};

// Lines of one axis between tensors seen as (outer, axis, inner, components).
template <class T>
struct DftStep {
  using Value = std::complex<T>;

  LineTransform<T> transform;
  size_t outer = 1, inner = 1, in = 0, out = 0;
  size_t in_parts = 1, out_parts = 2;
  bool inverse = false;
  bool from_half = false;  // the input is the first half of a spectrum that is symmetric

  void run(const RunContext& r) const {
    const T* x = input_data<T>(r, 0);
    T* y = output_data<T>(r, 0);
    auto* scratch = reinterpret_cast<Value*>(r.scratch);
    r.pool.for_each_with_thread(outer * inner, [&](size_t line, size_t thread) {
      Value* values = scratch + thread * transform.values_per_thread();
      const size_t o = line / inner, i = line % inner;
      load(x + (o * in * inner + i) * in_parts, values);
      transform(values);
      store(values, y + (o * out * inner + i) * out_parts);
    });
  }

 private:
  void load(const T* x, Value* values) const noexcept {
    const size_t size = transform.size(), given = std::min(in, from_half ? size / 2 + 1 : size);
    core::in_pieces(size, kPiece, [&](size_t begin, size_t count) { std::fill_n(values + begin, count, Value(0)); });
    if (transform.is_real()) {
      T* const reals = reinterpret_cast<T*>(values);
      core::in_pieces(given, kPiece, [&](size_t begin, size_t count) {
        for (size_t k = begin; k < begin + count; ++k) reals[k] = x[k * inner];
      });
      return;
    }
    core::in_pieces(given, kPiece, [&](size_t begin, size_t count) {
      for (size_t k = begin; k < begin + count; ++k) {
        const T* from = x + k * inner * in_parts;
        values[k] = {from[0], in_parts == 2 ? from[1] : T(0)};
      }
    });
    if (from_half) mirror(values, size);
  }

  static void mirror(Value* values, size_t size) noexcept {
    values[0].imag(0);
    for (size_t k = 1; k <= size - k; ++k) {
      if (k == size - k) {
        values[k].imag(0);
      } else {
        values[size - k] = std::conj(values[k]);
      }
    }
  }

  void store(const Value* values, T* to) const noexcept {
    const T scale = inverse ? 1 / static_cast<T>(transform.size()) : T(1);
    const T imag_scale = inverse && transform.is_real() ? -scale : scale;  // real lines always go forward
    core::in_pieces(out, kPiece, [&](size_t begin, size_t count) {
      for (size_t k = begin; k < begin + count; ++k, to += inner * out_parts) {
        const Value value = transform.value(values, k);
        to[0] = value.real() * scale;
        if (out_parts == 2) to[1] = value.imag() * imag_scale;
      }
    });
  }
};

template <class Step, class T>
std::unique_ptr<Bound> bound_step(const Step& step, const LineTransform<T>& transform, ValueFacts result, const BindContext& b) {
  auto bound = make_bound(std::move(result), [step](const RunContext& r) {
    if (r.outputs[0].numel() != 0) step.run(r);
  });
  bound->scratch_bytes = transform.scratch_bytes(b.threads);
  return bound;
}

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
  Shape out = x.shape;
  out[axis] = spec.onesided && !spec.inverse ? length / 2 + 1 : length;
  out.back() = to_real ? 1 : 2;
  return with_real(x.dtype, [&]<class T>() {
    const DftStep<T> step{.transform = LineTransform<T>(length, x.shape.back() == 1 && !to_real, spec.inverse),
                          .outer = span_count(x.shape, 0, axis),
                          .inner = span_count(x.shape, axis + 1, rank - 1),
                          .in = to_size(x.shape[axis]),
                          .out = to_size(out[axis]),
                          .in_parts = to_size(x.shape.back()),
                          .out_parts = to_size(out.back()),
                          .inverse = spec.inverse,
                          .from_half = to_real};
    return bound_step(step, step.transform, output(x.dtype, out), b);
  });
}

// Frames of each signal of the batch, weighted by the window.
template <class T>
struct StftStep {
  using Value = std::complex<T>;

  LineTransform<T> transform;
  size_t batch = 0, samples = 0, parts = 1, step = 1, frames = 0, bins = 0;

  void run(const RunContext& r) const {
    const T *x = input_data<T>(r, 0), *weights = input_data<T>(r, 2);
    T* y = output_data<T>(r, 0);
    auto* scratch = reinterpret_cast<Value*>(r.scratch);
    r.pool.for_each_with_thread(batch * frames, [&](size_t frame, size_t thread) {
      Value* values = scratch + thread * transform.values_per_thread();
      load(x + (frame / frames * samples + frame % frames * step) * parts, weights, reinterpret_cast<T*>(values));
      transform(values);
      T* to = y + frame * bins * 2;
      for (size_t k = 0; k < bins; ++k) {
        const Value value = transform.value(values, k);
        to[2 * k] = value.real();
        to[2 * k + 1] = value.imag();
      }
    });
  }

 private:
  void load(const T* x, const T* weights, T* to) const noexcept {
    const size_t size = transform.size();
    for (size_t i = 0; i < size; ++i) {
      for (size_t part = 0; part < parts; ++part) to[i * parts + part] = weights ? weights[i] * x[i * parts + part] : x[i * parts + part];
    }
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
  const int64_t frames = (x.shape[1] - length) / step + 1, bins = onesided ? length / 2 + 1 : length;
  return with_real(x.dtype, [&]<class T>() {
    const StftStep<T> stft{.transform = LineTransform<T>(length, x.shape[2] == 1, false),
                           .batch = to_size(x.shape[0]),
                           .samples = to_size(x.shape[1]),
                           .parts = to_size(x.shape[2]),
                           .step = to_size(step),
                           .frames = to_size(frames),
                           .bins = to_size(bins)};
    return bound_step(stft, stft.transform, output(x.dtype, {x.shape[0], frames, bins, 2}), b);
  });
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
