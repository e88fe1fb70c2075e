// LpPool and GlobalLpPool: the p-norm of each window. Padding counts as 0.
#include <cmath>

#include "core/interrupt.h"
#include "kernels/cpu/window.h"
#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/pool/pool.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

double exponent_from_node(const model::Node& node, int64_t opset) {
  const double p = opset < 2 ? static_cast<double>(model::get_float(node, "p", 2)) : static_cast<double>(model::get_int(node, "p", 2));
  if (!(p > 0)) throw model_error("attribute p is {}; it must be positive", p);
  return p;
}

struct Norm {
  double p;

  double power(double x) const noexcept {
    if (p == 1) return std::abs(x);
    return p == 2 ? x * x : std::pow(std::abs(x), p);
  }
  double root(double sum) const noexcept {
    if (p == 1) return sum;
    return p == 2 ? std::sqrt(sum) : std::pow(sum, 1 / p);
  }
};

template <class T>
void pool_plane(const kernels::Window& w, const Norm& norm, const T* x, T* y) noexcept {
  core::InterruptGate interrupt;
  for (size_t o = 0; o < w.out_size(); ++o) {
    if (o % 64 == 0 && interrupt.stopped()) return;
    const size_t place[3] = {o / (w.out[1] * w.out[2]), o / w.out[2] % w.out[1], o % w.out[2]};
    kernels::Range taps[3];
    for (size_t i = 0; i < 3; ++i) taps[i] = kernels::taps_inside(w, i, place[i]);
    const auto at = [&](size_t i, size_t tap) {
      return static_cast<size_t>(w.origin(i, place[i]) + static_cast<ptrdiff_t>(tap * w.dilation[i]));
    };
    double sum = 0;
    for (size_t d = taps[0].begin; d < taps[0].end; ++d) {
      for (size_t h = taps[1].begin; h < taps[1].end; ++h) {
        const T* row = x + (at(0, d) * w.in[1] + at(1, h)) * w.in[2];
        for (size_t v = taps[2].begin; v < taps[2].end; ++v) sum += norm.power(static_cast<double>(row[at(2, v)]));
      }
    }
    y[o] = static_cast<T>(norm.root(sum));
  }
}

// The whole plane as one window.
kernels::Window whole(size_t size) {
  kernels::Window window;
  window.rank = 1;
  window.in[0] = window.kernel[0] = size;
  return window;
}

std::unique_ptr<Bound> bind_lp_pool(const PoolGeometry& geometry, const kernels::Window& window, const Norm& norm, DType dtype) {
  return make_bound(output(dtype, geometry.out),
                    [planes = geometry.kernel.planes, w = window.with_three_dims(), norm, dtype](const RunContext& r) {
                      if (r.outputs[0].numel() == 0) return;
                      with_real(dtype, [&]<class T>() {
                        const auto* x = input_data<T>(r, 0);
                        auto* y = output_data<T>(r, 0);
                        r.pool.for_each(planes, [&](size_t i) { pool_plane(w, norm, x + i * w.in_size(), y + i * w.out_size()); });
                      });
                    });
}

const ValueFacts& real_input(const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  require_dtype(x, kReals, "X");
  return x;
}

std::unique_ptr<Prepared> prepare_wide_lp_pool(const PrepareContext& context) {
  const Norm norm = {exponent_from_node(context.node, context.opset)};
  return make_prepared([spec = pool_spec_from_node(context.node, context.opset), norm](const BindContext& b) {
    const ValueFacts& x = real_input(b);
    const PoolGeometry geometry = pool_geometry(spec, x.shape);
    return bind_lp_pool(geometry, geometry.kernel.window, norm, x.dtype);
  });
}

std::unique_ptr<Prepared> prepare_wide_global_lp_pool(const PrepareContext& context) {
  const Norm norm = {exponent_from_node(context.node, context.opset)};
  return make_prepared([norm](const BindContext& b) {
    const ValueFacts& x = real_input(b);
    const PoolGeometry geometry = global_pool_geometry(x.shape);
    return bind_lp_pool(geometry, whole(geometry.kernel.window.in[0]), norm, x.dtype);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_lp_pool(const PrepareContext& context) { return via_float(context, prepare_wide_lp_pool); }
std::unique_ptr<Prepared> prepare_global_lp_pool(const PrepareContext& context) { return via_float(context, prepare_wide_global_lp_pool); }

}  // namespace sardonyx::ops
