#include "ops/facts.h"
#include "ops/pool/pool.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

const float* in_of(const RunContext& r) { return static_cast<const float*>(r.inputs[0].raw()); }
float* out_of(const RunContext& r) { return static_cast<float*>(r.outputs[0].mutable_raw()); }

const ValueFacts& float_input(const BindContext& context) {
  const ValueFacts& x = required(context, 0, "X");
  require_dtype(x, {DType::kFloat32}, "X");
  return x;
}

// A step that calls kernel(shape, x, y, pool).
template <class Kernel>
std::unique_ptr<Bound> bind_kernel(const PoolGeometry& geometry, const char* name, Kernel kernel) {
  auto bound = make_bound(output(DType::kFloat32, geometry.out), [shape = geometry.kernel, kernel](const RunContext& r) {
    if (r.outputs[0].numel() != 0) kernel(shape, in_of(r), out_of(r), r.pool);
  });
  bound->kernel = name;
  bound->flops = static_cast<double>(element_count(geometry.out)) * static_cast<double>(geometry.kernel.window.kernel_size());
  return bound;
}

std::unique_ptr<Bound> bind_indexed(const PoolGeometry& geometry, const PoolSpec& spec, DType dtype, const std::vector<bool>& wanted) {
  const IndexedMaxPool function = indexed_max_pool(dtype);
  if (!function) throw unsupported_error("there is no MaxPool of elements of type {}", type_string(dtype));
  std::vector<ValueFacts> facts(wanted.size());
  facts[0] = output(dtype, geometry.out);
  const bool with_indices = wanted.size() > 1 && wanted[1];
  if (with_indices) facts[1] = output(DType::kInt64, geometry.out);
  auto bound = make_bound(std::move(facts),
                          [shape = geometry.kernel, function, with_indices, column_major = spec.column_major](const RunContext& r) {
                            if (r.outputs[0].numel() == 0) return;
                            int64_t* indices = with_indices ? r.outputs[1].mutable_values<int64_t>().data() : nullptr;
                            function(shape, column_major, r.inputs[0].raw(), r.outputs[0].mutable_raw(), indices, r.pool);
                          });
  bound->kernel = "indexed";
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_max_pool(const PrepareContext& context) {
  std::vector<bool> wanted;
  for (const std::string& name : context.node.output) wanted.push_back(!name.empty());
  return make_prepared([spec = pool_spec_from_node(context.node, context.opset), wanted](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    const PoolGeometry geometry = pool_geometry(spec, x.shape);
    if (x.dtype != DType::kFloat32 || wanted.size() > 1) return bind_indexed(geometry, spec, x.dtype, wanted);
    return bind_kernel(geometry, "max_pool", kernels::max_pool);
  });
}

std::unique_ptr<Prepared> prepare_wide_average_pool(const PrepareContext& context) {
  return make_prepared([spec = pool_spec_from_node(context.node, context.opset)](const BindContext& b) {
    return bind_kernel(
        pool_geometry(spec, float_input(b).shape), "average_pool",
        [include_pad = spec.count_include_pad](const kernels::PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) {
          kernels::average_pool(shape, include_pad, x, y, pool);
        });
  });
}

template <auto kKernel>
std::unique_ptr<Prepared> prepare_wide_global_pool(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    return bind_kernel(global_pool_geometry(float_input(b).shape), "global_pool",
                       [](const kernels::PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) {
                         kKernel(shape.planes, shape.window.in[0], x, y, pool);
                       });
  });
}

std::unique_ptr<Prepared> prepare_wide_adaptive_pool(const PrepareContext& context) {
  return make_prepared([size = model::get_ints(context.node, "output_size")](const BindContext& b) {
    return bind_kernel(adaptive_pool_geometry(size, float_input(b).shape), "adaptive_average_pool", kernels::adaptive_average_pool);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_max_pool(const PrepareContext& context) { return via_float(context, prepare_wide_max_pool); }
std::unique_ptr<Prepared> prepare_average_pool(const PrepareContext& context) { return via_float(context, prepare_wide_average_pool); }
std::unique_ptr<Prepared> prepare_global_average_pool(const PrepareContext& context) {
  return via_float(context, prepare_wide_global_pool<&kernels::global_average_pool>);
}
std::unique_ptr<Prepared> prepare_global_max_pool(const PrepareContext& context) {
  return via_float(context, prepare_wide_global_pool<&kernels::global_max_pool>);
}
std::unique_ptr<Prepared> prepare_adaptive_average_pool(const PrepareContext& context) {
  return via_float(context, prepare_wide_adaptive_pool);
}

}  // namespace sardonyx::ops
