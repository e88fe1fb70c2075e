#include "kernels/cpu/blocked/pool.h"
#include "ops/blocked/blocked.h"
#include "ops/elements/real.h"
#include "ops/pool/pool.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// `kernel` is called as kernel(shape, x, y, pool).
template <class Kernel>
std::unique_ptr<Bound> bind_pool(const PoolSpec& spec, const BindContext& b, const char* name, Kernel kernel) {
  const BlockedImage x = blocked_image(required(b, 0, "X"), "X");
  const PoolGeometry geometry = pool_geometry(spec, {x.batch, x.blocks, x.height, x.width});
  Shape out = geometry.out;
  out.push_back(x.lanes);
  auto bound = make_bound(output(DType::kFloat32, out), [shape = geometry.kernel, kernel](const RunContext& r) {
    kernel(shape, input_data<float>(r, 0), output_data<float>(r, 0), r.pool);
  });
  bound->kernel = name;
  bound->flops = static_cast<double>(element_count(out)) * static_cast<double>(geometry.kernel.window.kernel_size());
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_blocked_max_pool(const PrepareContext& context) {
  return make_prepared([spec = pool_spec_from_node(context.node, context.opset)](const BindContext& b) {
    return bind_pool(spec, b, "blocked_max_pool", kernels::blocked_max_pool);
  });
}

std::unique_ptr<Prepared> prepare_blocked_average_pool(const PrepareContext& context) {
  return make_prepared([spec = pool_spec_from_node(context.node, context.opset)](const BindContext& b) {
    return bind_pool(
        spec, b, "blocked_average_pool",
        [include_pad = spec.count_include_pad](const kernels::PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) {
          kernels::blocked_average_pool(shape, include_pad, x, y, pool);
        });
  });
}

std::unique_ptr<Prepared> prepare_blocked_global_average_pool(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const BlockedImage x = blocked_image(required(b, 0, "X"), "X");
    const PoolGeometry geometry = global_pool_geometry({x.batch, x.blocks, x.height, x.width});
    auto bound = make_bound(output(DType::kFloat32, {x.batch, x.blocks, 1, 1, x.lanes}),
                            [planes = geometry.kernel.planes, size = geometry.kernel.window.in[0]](const RunContext& r) {
                              kernels::blocked_global_average_pool(planes, size, input_data<float>(r, 0), output_data<float>(r, 0), r.pool);
                            });
    bound->kernel = "blocked_global_pool";
    bound->flops = static_cast<double>(element_count(x.shape()));
    return bound;
  });
}

std::unique_ptr<Prepared> prepare_blocked_scale(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const BlockedImage x = blocked_image(required(b, 0, "X"), "X"), factors = blocked_image(required(b, 1, "S"), "S");
    const Shape one_pixel = {x.batch, x.blocks, 1, 1, x.lanes};
    if (factors.shape() != one_pixel)
      throw argument_error("S has shape {}; X of shape {} needs {}", to_string(factors.shape()), to_string(x.shape()),
                           to_string(one_pixel));
    const size_t planes = span_count(x.shape(), 0, 2), size = span_count(x.shape(), 2, 4);
    auto bound = make_bound(output(DType::kFloat32, x.shape()), [planes, size](const RunContext& r) {
      if (size == 0) return;
      kernels::blocked_scale(planes, size, input_data<float>(r, 0), input_data<float>(r, 1), output_data<float>(r, 0), r.pool);
    });
    bound->in_place_input = 0;
    bound->kernel = "blocked_scale";
    bound->flops = static_cast<double>(element_count(x.shape()));
    return bound;
  });
}

}  // namespace sardonyx::ops
