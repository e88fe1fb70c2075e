// DeformConv: a convolution whose taps are moved by offsets, sampled linearly between positions, and weighted by a mask.
#include "core/arena.h"
#include "kernels/cpu/gemm/serial_product.h"
#include "kernels/cpu/resample/grid_sample.h"
#include "ops/attributes/attributes.h"
#include "ops/conv/conv.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

enum Input { kX, kWeight, kOffset, kBias, kMask };
constexpr size_t kColumns = 64;  // output positions of one task

struct DeformConv {
  kernels::ConvShape conv;
  size_t offset_groups;
  kernels::GridShape grid;

  size_t channels() const noexcept { return conv.in_channels / conv.groups; }
  size_t rows() const noexcept { return channels() * conv.window.kernel_size(); }
  size_t out_channels() const noexcept { return conv.out_channels / conv.groups; }

  template <class T>
  size_t column_bytes() const noexcept {
    return core::align_up(rows() * kColumns * sizeof(T));
  }
  template <class T>
  size_t task_bytes() const noexcept {
    const size_t out = conv.window.out_size();
    const auto bytes = [&](size_t n) { return kernels::serial_product_scratch_bytes<T>({out_channels(), n, rows()}); };
    return column_bytes<T>() + core::align_up(std::max(bytes(std::min(kColumns, out)), bytes(out % kColumns)));
  }

  template <class T>
  void run(const RunContext& r) const {
    const size_t out = conv.window.out_size(), tiles = (out + kColumns - 1) / kColumns, bytes = task_bytes<T>();
    const T *weights = input_data<T>(r, kWeight), *bias = input_data<T>(r, kBias);
    T* y = output_data<T>(r, 0);
    r.pool.for_each_with_thread(conv.batch * conv.groups * tiles, [&](size_t task, size_t thread) {
      auto* columns = reinterpret_cast<T*>(r.scratch + thread * bytes);
      const size_t image = task / tiles / conv.groups, group = task / tiles % conv.groups;
      const size_t first = task % tiles * kColumns, count = std::min(kColumns, out - first);
      for (size_t i = 0; i < count; ++i) fill_column(r, image, group, first + i, columns + i);
      T* to = y + (image * conv.out_channels + group * out_channels()) * out + first;
      for (size_t c = 0; c < out_channels(); ++c)
        std::fill(to + c * out, to + c * out + count, bias ? bias[group * out_channels() + c] : T{0});
      kernels::serial_product<T>(
          {out_channels(), count, rows()}, T{1}, {weights + group * out_channels() * rows(), static_cast<ptrdiff_t>(rows()), 1},
          {columns, static_cast<ptrdiff_t>(kColumns), 1}, true, to, out, reinterpret_cast<std::byte*>(columns) + column_bytes<T>(), r.pool);
    });
  }

 private:
  // The inputs of output position `o`, kColumns apart: channels of the group, and the taps of each.
  template <class T>
  void fill_column(const RunContext& r, size_t image, size_t group, size_t o, T* column) const noexcept {
    const kernels::Window& w = conv.window;
    const size_t taps = w.kernel_size(), plane = w.in_size();
    const size_t per_offset_group = conv.in_channels / offset_groups;
    const T* x = input_data<T>(r, kX) + image * conv.in_channels * plane;
    kernels::GridTaps samples;
    for (size_t tap = 0; tap < taps; ++tap) {
      size_t sampled = offset_groups;  // the offset group that `samples` and `factor` belong to
      T factor = 1;
      for (size_t c = 0; c < channels(); ++c) {
        const size_t channel = group * channels() + c, offset_group = channel / per_offset_group;
        if (offset_group != sampled) factor = sample<T>(r, image * offset_groups + offset_group, tap, o, samples);
        sampled = offset_group;
        T sum = 0;
        for (size_t i = 0; i < samples.count; ++i) sum += static_cast<T>(samples.weights[i]) * x[channel * plane + samples.offsets[i]];
        column[(c * taps + tap) * kColumns] = factor * sum;
      }
    }
  }

  // Where a tap is sampled; gives the mask's factor.
  template <class T>
  T sample(const RunContext& r, size_t offset_group, size_t tap, size_t o, kernels::GridTaps& samples) const noexcept {
    const kernels::Window& w = conv.window;
    const size_t taps = w.kernel_size(), out = w.out_size(), rank = grid.rank;
    const T *offsets = input_data<T>(r, kOffset), *mask = input_data<T>(r, kMask);
    double place[kernels::kMaxGridRank];
    size_t rest_o = o, rest_tap = tap;
    for (size_t i = rank; i-- > 0;) {
      const double origin =
          static_cast<double>(w.origin(i, rest_o % w.out[i])) + static_cast<double>(rest_tap % w.kernel[i] * w.dilation[i]);
      place[i] = origin + static_cast<double>(offsets[((offset_group * taps + tap) * rank + i) * out + o]);
      rest_o /= w.out[i];
      rest_tap /= w.kernel[i];
    }
    kernels::position_taps(grid, place, samples);
    return mask ? mask[(offset_group * taps + tap) * out + o] : T{1};
  }
};

void check_shape(const BindContext& b, size_t index, std::string_view name, const Shape& expected) {
  const ValueFacts* facts = optional(b, index);
  if (!facts) return;
  require_same_dtype(b.inputs[kX], *facts, "X", name);
  if (facts->shape != expected) throw argument_error("{} has shape {}; it must be {}", name, to_string(facts->shape), to_string(expected));
}

std::unique_ptr<Bound> bind_deform_conv(const ConvSpec& spec, int64_t offset_groups, const BindContext& b) {
  const ValueFacts &x = required(b, kX, "X"), &w = required(b, kWeight, "W");
  require_dtype(x, kReals, "X");
  require_same_dtype(x, w, "X", "W");
  required(b, kOffset, "offset");
  const ConvGeometry g = conv_geometry(spec, x.shape, w.shape);
  if (x.shape[1] % offset_groups != 0)
    throw argument_error("X has {} channels, which offset_group {} does not divide", x.shape[1], offset_groups);
  const int64_t taps = to_int(g.kernel.window.kernel_size()), rank = to_int(x.shape.size()) - 2;
  const auto per_place = [&](int64_t values) {
    Shape shape = {x.shape[0], element_count(Shape{offset_groups, taps, values})};
    shape.insert(shape.end(), g.out.begin() + 2, g.out.end());
    return shape;
  };
  check_shape(b, kOffset, "offset", per_place(rank));
  check_shape(b, kBias, "B", {g.out[1]});
  check_shape(b, kMask, "mask", per_place(1));
  DeformConv step = {g.kernel, to_size(offset_groups), {}};
  step.grid.rank = to_size(rank);
  step.grid.align_corners = true;
  for (size_t i = 0; i < step.grid.rank; ++i) step.grid.sizes[i] = g.kernel.window.in[i];
  const DType dtype = x.dtype;
  const bool is_empty = element_count(g.out) == 0 || element_count(x.shape) == 0;
  auto bound = make_bound(output(dtype, g.out), [step, dtype, is_empty](const RunContext& r) {
    if (!is_empty) return with_real(dtype, [&]<class T>() { step.run<T>(r); });
    if (r.outputs[0].numel() != 0) throw argument_error("X is empty, there is nothing to sample");
  });
  if (!is_empty) bound->scratch_bytes = with_real(dtype, [&]<class T>() { return step.task_bytes<T>(); }) * static_cast<size_t>(b.threads);
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_deform_conv(const PrepareContext& context) {
  return make_prepared([spec = conv_spec_from_node(context.node, context.opset), groups = get_count(context.node, "offset_group", 1, 1)](
                           const BindContext& b) { return bind_deform_conv(spec, groups, b); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_deform_conv(const PrepareContext& context) { return via_float(context, prepare_wide_deform_conv); }

}  // namespace sardonyx::ops
