// GridSample and AffineGrid, every version.
#include <cmath>

#include "kernels/cpu/resample/grid_sample.h"
#include "ops/attributes/attributes.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/movement/element.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kGrain = 64;  // places of one task

kernels::GridShape grid_spec_from_node(const model::Node& node, int64_t opset) {
  using kernels::GridMode, kernels::GridPadding;
  kernels::GridShape spec;
  spec.mode = get_choice<GridMode>(node, "mode", opset < 20 ? "bilinear" : "linear",
                                   {{"linear", GridMode::kLinear},
                                    {"bilinear", GridMode::kLinear},
                                    {"nearest", GridMode::kNearest},
                                    {"cubic", GridMode::kCubic},
                                    {"bicubic", GridMode::kCubic}});
  spec.padding =
      get_choice<GridPadding>(node, "padding_mode", "zeros",
                              {{"zeros", GridPadding::kZeros}, {"border", GridPadding::kBorder}, {"reflection", GridPadding::kReflection}});
  spec.align_corners = model::get_int(node, "align_corners", 0) != 0;
  return spec;
}

struct GridStep {
  kernels::GridShape shape;
  size_t channels = 0, in = 0, out = 0;  // positions of a plane of X and of Y
  DType dtype, grid_type;

  void run(const RunContext& r) const {
    if (r.outputs[0].numel() == 0) return;
    if (shape.mode == kernels::GridMode::kNearest) {
      with_element(dtype, [&]<class T>() { visit(r, [&](const auto& taps, size_t from, size_t to) { move<T>(r, taps, from, to); }); });
    } else {
      with_real(sum_type(dtype),
                [&]<class T>() { visit(r, [&](const auto& taps, size_t from, size_t to) { sum<T>(r, taps, from, to); }); });
    }
  }

  static DType sum_type(DType dtype) {
    constexpr DTypeSet kInFloat = {DType::kFloat32, DType::kFloat16, DType::kBFloat16};
    return kInFloat.has(dtype) ? DType::kFloat32 : DType::kFloat64;
  }

 private:
  // Calls element(taps, number of the first element of the plane in X, number of the element in Y).
  template <class Element>
  void visit(const RunContext& r, const Element& element) const {
    with_real(sum_type(grid_type), [&]<class G>() {
      const size_t batch = to_size(r.inputs[0].shape()[0]), bytes = element_bytes(grid_type);
      const auto* grid = static_cast<const std::byte*>(r.inputs[1].raw());
      r.pool.for_ranges(batch * out, kGrain, [&](size_t begin, size_t end) {
        kernels::GridTaps taps;
        for (size_t i = begin; i < end; ++i) {
          G place[kernels::kMaxGridRank];
          load_run<G>(grid_type)(grid + i * shape.rank * bytes, 1, shape.rank, place);
          kernels::grid_taps(shape, place, taps);
          const size_t first = i / out * channels;
          for (size_t c = 0; c < channels; ++c) element(taps, (first + c) * in, (first + c) * out + i % out);
        }
      });
    });
  }

  template <class T>
  void move(const RunContext& r, const kernels::GridTaps& taps, size_t from, size_t to) const {
    T& element = output_data<T>(r, 0)[to];
    element = taps.count == 0 ? T{} : static_cast<const T*>(r.inputs[0].raw())[from + taps.offsets[0]];
  }

  template <class T>
  void sum(const RunContext& r, const kernels::GridTaps& taps, size_t from, size_t to) const {
    const size_t bytes = static_cast<size_t>(bit_width(dtype)) / 8;
    const auto* x = static_cast<const std::byte*>(r.inputs[0].raw()) + from * bytes;
    const LoadRun<T> load = load_run<T>(dtype);
    T total = 0;
    for (size_t i = 0; i < taps.count; ++i) {
      T value;
      load(x + taps.offsets[i] * bytes, 1, 1, &value);
      total += static_cast<T>(taps.weights[i]) * value;
    }
    store_run<T>(dtype)(&total, 1, output_data<std::byte>(r, 0) + to * bytes);
  }
};

std::unique_ptr<Bound> bind_grid_sample(const kernels::GridShape& spec, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "X"), &grid = required(b, 1, "grid");
  require_dtype(grid, kFloats, "grid");
  const size_t rank = x.shape.size();
  if (rank < 3 || grid.shape.size() != rank || grid.shape[0] != x.shape[0] || grid.shape.back() != to_int(rank - 2)) {
    throw argument_error("grid has shape {}; X of shape {} needs [{}, sizes of the result..., {}]", to_string(grid.shape),
                         to_string(x.shape), x.shape.empty() ? 0 : x.shape[0], to_int(rank) - 2);
  }
  GridStep step{.shape = spec, .dtype = x.dtype, .grid_type = grid.dtype};
  step.shape.rank = rank - 2;
  if (step.shape.rank > kernels::kMaxGridRank)
    throw unsupported_error("{} spatial dimensions; at most {} are supported", rank - 2, kernels::kMaxGridRank);
  if (spec.mode == kernels::GridMode::kNearest) {
    element_bytes(x.dtype);  // refuses packed types
  } else {
    constexpr DTypeSet kSummed = kNumbers | DTypeSet{DType::kBool};
    require_dtype(x, kSummed, "X");
  }
  Shape out = {x.shape[0], x.shape[1]};
  out.insert(out.end(), grid.shape.begin() + 1, grid.shape.end() - 1);
  ValueFacts y = output(x.dtype, out);
  for (size_t i = 0; i + 2 < rank; ++i) {
    step.shape.sizes[i] = to_size(x.shape[2 + i]);
    if (x.shape[2 + i] < 1) throw argument_error("X has shape {}; there is nothing to sample", to_string(x.shape));
  }
  step.channels = to_size(x.shape[1]);
  step.in = span_count(x.shape, 2, rank);
  step.out = span_count(out, 2, rank);
  return make_bound(std::move(y), [step](const RunContext& r) { step.run(r); });
}

// Coordinates from -1 to 1: those of the corner elements or, without align_corners, of their outer edges.
double even_coordinate(size_t i, int64_t size, bool align_corners) noexcept {
  const auto at = static_cast<double>(i), all = static_cast<double>(size);
  if (!align_corners) return (2 * at + 1) / all - 1;
  return size == 1 ? 0 : 2 * at / (all - 1) - 1;
}

template <class T>
void run_affine_grid(const RunContext& r, bool align_corners) {
  const Shape& shape = r.outputs[0].shape();
  const size_t rank = shape.size() - 2, places = span_count(shape, 1, rank + 1);
  const T* theta = input_data<T>(r, 0);
  T* y = output_data<T>(r, 0);
  r.pool.for_ranges(to_size(shape[0]) * places, kGrain, [&](size_t begin, size_t end) {
    for (size_t number = begin; number < end; ++number) {
      double place[3];  // innermost first
      size_t rest = number % places;
      for (size_t i = 0; i < rank; ++i) {
        const int64_t size = shape[rank - i];
        place[i] = even_coordinate(rest % to_size(size), size, align_corners);
        rest /= to_size(size);
      }
      const T* matrix = theta + number / places * rank * (rank + 1);
      for (size_t i = 0; i < rank; ++i, matrix += rank + 1) {
        auto sum = static_cast<double>(matrix[rank]);
        for (size_t j = 0; j < rank; ++j) sum += static_cast<double>(matrix[j]) * place[j];
        y[number * rank + i] = static_cast<T>(sum);
      }
    }
  });
}

std::unique_ptr<Bound> bind_affine_grid(bool align_corners, const BindContext& b) {
  const ValueFacts& theta = required(b, 0, "theta");
  require_dtype(theta, kReals, "theta");
  const Shape size = integer_values(required(b, 1, "size"), "size");
  if (size.size() != 4 && size.size() != 5) throw argument_error("size is {}; it must hold 4 or 5 sizes", to_string(size));
  const int64_t rank = to_int(size.size()) - 2;
  if (theta.shape != Shape{size[0], rank, rank + 1}) {
    throw argument_error("theta has shape {}; it must be {}", to_string(theta.shape), to_string(Shape{size[0], rank, rank + 1}));
  }
  Shape out = {size[0]};
  out.insert(out.end(), size.begin() + 2, size.end());
  out.push_back(rank);
  return make_bound(output(theta.dtype, out), [align_corners, dtype = theta.dtype](const RunContext& r) {
    if (r.outputs[0].numel() != 0) with_real(dtype, [&]<class T>() { run_affine_grid<T>(r, align_corners); });
  });
}

std::unique_ptr<Prepared> prepare_wide_affine_grid(const PrepareContext& context) {
  return make_prepared([align_corners = model::get_int(context.node, "align_corners", 0) != 0](const BindContext& b) {
    return bind_affine_grid(align_corners, b);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_grid_sample(const PrepareContext& context) {
  return make_prepared(
      [spec = grid_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_grid_sample(spec, b); });
}

std::unique_ptr<Prepared> prepare_affine_grid(const PrepareContext& context) {
  return make_value_driven(via_float(context, prepare_wide_affine_grid), {.value_inputs = 0b10, .output_types = {}});
}

}  // namespace sardonyx::ops
