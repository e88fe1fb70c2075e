#include <algorithm>
#include <array>
#include <limits>

#include "core/arena.h"
#include "kernels/cpu/norm/batch_norm.h"
#include "kernels/cpu/norm/moments.h"
#include "ops/facts.h"
#include "ops/norm/batch_norm.h"
#include "ops/norm/row_norm.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Numbers of one channel: `runs` times `length` of them, `stride` elements apart.
struct ChannelRuns {
  size_t runs, length, stride, run_step, first;
};

ChannelRuns channel_runs(const BatchNormGeometry& g, size_t c) {
  if (g.inner == 1) return {1, g.batch, g.channels, 0, c};
  return {g.batch, g.inner, 1, g.channels * g.inner, c * g.inner};
}

template <class Acc, class Sum>
double fold_channel(const BatchNormGeometry& g, const Tensor& x, size_t c, const Sum& sum) noexcept {
  const LoadRun<Acc> load = load_run<Acc>(x.dtype());
  const size_t bytes = static_cast<size_t>(bit_width(x.dtype())) / 8;
  const auto* data = static_cast<const std::byte*>(x.raw());
  const ChannelRuns of = channel_runs(g, c);
  Acc values[kRunLength];
  double result = 0;
  for (size_t run = 0; run < of.runs; ++run) {
    for (size_t i = 0; i < of.length; i += kRunLength) {
      const size_t count = std::min(kRunLength, of.length - i);
      load(data + (of.first + run * of.run_step + i * of.stride) * bytes, static_cast<ptrdiff_t>(of.stride), count, values);
      result += sum(values, count);
    }
  }
  return result;
}

template <class Acc>
void batch_moments(const BatchNormGeometry& g, const Tensor& x, double* mean, double* variance, core::ThreadPool& pool) {
  if (x.numel() == 0) {
    std::fill_n(mean, g.channels, std::numeric_limits<double>::quiet_NaN());
    std::fill_n(variance, g.channels, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  const auto count = static_cast<double>(g.batch * g.inner);
  pool.for_each(g.channels, [&](size_t c) {
    mean[c] = fold_channel<Acc>(g, x, c, [](const Acc* values, size_t size) { return kernels::sum(values, size); }) / count;
    variance[c] =
        fold_channel<Acc>(g, x, c,
                          [center = mean[c]](const Acc* values, size_t size) { return kernels::sum_square_apart(values, size, center); }) /
        count;
  });
}

// x * scale[c] + shift[c] where there is no kernel.
template <class Acc>
void scale_shift_any(const BatchNormGeometry& g, const Tensor& x, const Acc* scale, const Acc* shift, Tensor& y, core::ThreadPool& pool) {
  const LoadRun<Acc> load = load_run<Acc>(x.dtype());
  const StoreRun<Acc> store = store_run<Acc>(x.dtype());
  const size_t bytes = element_bytes(x.dtype()), sample = g.channels * g.inner, runs = (sample + kRunLength - 1) / kRunLength;
  const auto* from = static_cast<const std::byte*>(x.raw());
  auto* to = static_cast<std::byte*>(y.mutable_raw());
  const AffineIndex index = {.per_row = 0, .repeat = g.inner, .count = g.channels};
  pool.for_ranges(g.batch * runs, 16, [&](size_t begin, size_t end) {
    Acc values[kRunLength];
    for (size_t item = begin; item < end; ++item) {
      const size_t row = item / runs, j = item % runs * kRunLength, count = std::min(kRunLength, sample - j);
      load(from + (row * sample + j) * bytes, 1, count, values);
      apply_affine(index, row, j, count, scale, shift, 0.0, Acc{1}, values);
      store(values, count, to + (row * sample + j) * bytes);
    }
  });
}

struct BatchNormStep {
  BatchNormSpec spec;
  BatchNormGeometry geometry;

  size_t scratch_bytes() const noexcept { return 8 * geometry.channels * sizeof(double); }

  void run(const RunContext& r) const {
    const size_t channels = geometry.channels;
    auto* vectors = reinterpret_cast<double*>(r.scratch);
    for (size_t i = 0; i < 4; ++i) {
      load_run<double>(r.inputs[i + 1].dtype())(r.inputs[i + 1].raw(), 1, channels, vectors + i * channels);
    }
    kernels::BatchNormVectors of = {vectors, vectors + channels, vectors + 2 * channels, vectors + 3 * channels};
    if (spec.training) {
      double *mean = vectors + 4 * channels, *variance = mean + channels;
      with_type(r.inputs[0].dtype(), [&]<class Acc>() { batch_moments<Acc>(geometry, r.inputs[0], mean, variance, r.pool); });
      store_statistics(r, vectors, mean, variance);
      of.mean = mean, of.variance = variance;
    }
    if (r.outputs[0].numel() == 0) return;
    with_type(r.inputs[0].dtype(), [&]<class Acc>() { normalize(r, of, reinterpret_cast<Acc*>(vectors + 6 * channels)); });
  }

 private:
  template <class Body>
  static void with_type(DType dtype, const Body& body) {
    dtype == DType::kFloat64 ? body.template operator()<double>() : body.template operator()<float>();
  }

  template <class Acc>
  void normalize(const RunContext& r, const kernels::BatchNormVectors& of, Acc* scale) const {
    Acc* shift = scale + geometry.channels;
    kernels::fold_batch_norm(geometry.channels, of, static_cast<double>(spec.epsilon), scale, shift);
    if constexpr (std::is_same_v<Acc, float>) {
      if (r.inputs[0].dtype() == DType::kFloat32) {
        return kernels::scale_shift(geometry.batch, geometry.channels, geometry.inner, static_cast<const float*>(r.inputs[0].raw()), scale,
                                    shift, static_cast<float*>(r.outputs[0].mutable_raw()), r.pool);
      }
    }
    scale_shift_any(geometry, r.inputs[0], scale, shift, r.outputs[0], r.pool);
  }

  // Outputs 1 and 2: the running statistics; 3 and 4: the batch's own.
  void store_statistics(const RunContext& r, double* vectors, const double* mean, const double* variance) const {
    const size_t channels = geometry.channels;
    const auto momentum = static_cast<double>(spec.momentum);
    double *running_mean = vectors + 2 * channels, *running_variance = vectors + 3 * channels;
    for (size_t c = 0; c < channels; ++c) {
      running_mean[c] = running_mean[c] * momentum + mean[c] * (1 - momentum);
      running_variance[c] = running_variance[c] * momentum + variance[c] * (1 - momentum);
    }
    const std::array<const double*, 4> values = {running_mean, running_variance, mean, variance};
    for (size_t i = 1; i < r.outputs.size(); ++i) {
      if (r.outputs[i].defined()) store_run<double>(r.outputs[i].dtype())(values[i - 1], channels, r.outputs[i].mutable_raw());
    }
  }
};

void check_vectors(const BindContext& b, const BatchNormGeometry& geometry) {
  constexpr std::array<std::string_view, 4> kNames = {"scale", "B", "mean", "var"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    const ValueFacts& vector = required(b, i + 1, kNames[i]);
    require_dtype(vector, kFloats, kNames[i]);
    if (vector.shape == geometry.statistics) continue;
    throw argument_error("{} has shape {}; X of shape {} needs {}", kNames[i], to_string(vector.shape), to_string(b.inputs[0].shape),
                         to_string(geometry.statistics));
  }
}

}  // namespace

std::unique_ptr<Prepared> prepare_batch_norm(const PrepareContext& context) {
  std::vector<bool> wanted;
  for (const std::string& name : context.node.output) wanted.push_back(!name.empty());
  return make_prepared([spec = batch_norm_spec_from_node(context.node, context.opset), wanted](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kFloats, "X");
    const BatchNormStep step = {spec, batch_norm_geometry(spec, x.shape)};
    check_vectors(b, step.geometry);
    std::vector<ValueFacts> facts(wanted.size());
    facts[0] = output(x.dtype, x.shape);
    for (size_t i = 1; i < wanted.size(); ++i) {
      if (wanted[i]) facts[i] = output(b.inputs[3].dtype, step.geometry.statistics);
    }
    auto bound = make_bound(std::move(facts), [step](const RunContext& r) { step.run(r); });
    bound->scratch_bytes = step.scratch_bytes();
    bound->in_place_input = 0;
    bound->flops = 2.0 * static_cast<double>(element_count(x.shape));
    return bound;
  });
}

}  // namespace sardonyx::ops
