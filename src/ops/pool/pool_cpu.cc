#include "ops/elements/real.h"
#include "ops/pool/pool.h"
#include "ops/rows.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

// A step that calls body(shape, context).
template <class Body>
std::unique_ptr<Bound> bind_body(DType dtype, const PoolGeometry& geometry, const char* name, Body body) {
  auto bound = make_bound(output(dtype, geometry.out), [shape = geometry.kernel, body](const RunContext& r) {
    if (r.outputs[0].numel() != 0) body(shape, r);
  });
  bound->kernel = name;
  bound->flops = static_cast<double>(element_count(geometry.out)) * static_cast<double>(geometry.kernel.window.kernel_size());
  return bound;
}

// A step that calls kernel(shape, x, y, pool) with pointers to float or double.
template <class Kernel>
std::unique_ptr<Bound> bind_kernel(DType dtype, const PoolGeometry& geometry, const char* name, Kernel kernel) {
  return bind_body(dtype, geometry, name, [dtype, kernel](const kernels::PoolShape& shape, const RunContext& r) {
    with_real(dtype, [&]<class T>() { kernel(shape, input_data<T>(r, 0), output_data<T>(r, 0), r.pool); });
  });
}

// Rows of a pool with windows, of floats. `Kernel` is called as kernel(shape, x, y, pool).
template <class Kernel>
class PoolRows final : public RowKernel {
 public:
  PoolRows(const kernels::PoolShape& shape, Kernel kernel) : shape_(shape), kernel_(kernel) {}

  bool by_rows(size_t input) const noexcept override { return input == 0; }
  RowRange reads(size_t /*input*/, RowRange rows) const noexcept override { return rows_under(shape_.window, rows); }
  void run(const RowRun& r) const noexcept override {
    const RowRange read = reads(0, r.rows);
    kernels::PoolShape band = shape_;
    band.window = band_window(shape_.window, r.rows, read);
    band.pad_end[0] += shape_.window.in[0] - read.end;  // padding still begins where the input ends
    band.distances = {r.inputs[0].plane<float>(), r.output.plane<float>(), 0};
    kernel_(band, r.inputs[0].as<float>(read.begin), r.output.as<float>(r.rows.begin), r.pool);
  }

 private:
  kernels::PoolShape shape_;
  Kernel kernel_;
};

template <class Kernel>
std::unique_ptr<Bound> with_pool_rows(std::unique_ptr<Bound> bound, const PoolGeometry& geometry, Kernel kernel) {
  if (bound->outputs[0].dtype != DType::kFloat32 || element_count(bound->outputs[0].shape) == 0) return bound;
  return with_rows(std::move(bound), std::make_shared<PoolRows<Kernel>>(geometry.kernel, kernel));
}

const ValueFacts& real_input(const BindContext& context) {
  const ValueFacts& x = required(context, 0, "X");
  require_dtype(x, kReals, "X");
  return x;
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
  bound->refusals.emplace_back(with_indices ? "max_pool: the indices of the maxima are asked for" : "max_pool: the elements are no floats");
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_max_pool(const PrepareContext& context) {
  std::vector<bool> wanted;
  for (const std::string& name : context.node.output) wanted.push_back(!name.empty());
  return make_prepared([spec = pool_spec_from_node(context.node, context.opset), wanted](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    const PoolGeometry geometry = pool_geometry(spec, x.shape);
    if (x.dtype != DType::kFloat32 || wanted.size() > 1) return bind_indexed(geometry, spec, x.dtype, wanted);
    const auto kernel = [](const kernels::PoolShape& shape, const float* from, float* to, core::ThreadPool& pool) {
      kernels::max_pool(shape, from, to, pool);
    };
    auto bound = bind_body(x.dtype, geometry, "max_pool", [kernel](const kernels::PoolShape& shape, const RunContext& r) {
      kernel(shape, input_data<float>(r, 0), output_data<float>(r, 0), r.pool);
    });
    return with_pool_rows(std::move(bound), geometry, kernel);
  });
}

std::unique_ptr<Prepared> prepare_wide_average_pool(const PrepareContext& context) {
  return make_prepared([spec = pool_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = real_input(b);
    const PoolGeometry geometry = pool_geometry(spec, x.shape);
    const auto kernel = [include_pad = spec.count_include_pad](const kernels::PoolShape& shape, const auto* from, auto* to, auto& pool) {
      kernels::average_pool(shape, include_pad, from, to, pool);
    };
    return with_pool_rows(bind_kernel(x.dtype, geometry, "average_pool", kernel), geometry, kernel);
  });
}

// `kernel` is called as kernel(planes, size, x, y, pool).
template <class Kernel>
std::unique_ptr<Prepared> prepare_global_pool(Kernel kernel) {
  return make_prepared([kernel](const BindContext& b) {
    const ValueFacts& x = real_input(b);
    return bind_kernel(x.dtype, global_pool_geometry(x.shape), "global_pool",
                       [kernel](const kernels::PoolShape& shape, const auto* from, auto* to, auto& pool) {
                         kernel(shape.planes, shape.window.in[0], from, to, pool);
                       });
  });
}

std::unique_ptr<Prepared> prepare_wide_global_average_pool(const PrepareContext& /*context*/) {
  return prepare_global_pool(
      [](size_t planes, size_t size, const auto* x, auto* y, auto& pool) { kernels::global_average_pool(planes, size, x, y, pool); });
}

std::unique_ptr<Prepared> prepare_wide_global_max_pool(const PrepareContext& /*context*/) {
  return prepare_global_pool(
      [](size_t planes, size_t size, const auto* x, auto* y, auto& pool) { kernels::global_max_pool(planes, size, x, y, pool); });
}

std::unique_ptr<Prepared> prepare_wide_adaptive_pool(const PrepareContext& context) {
  return make_prepared([size = model::get_ints(context.node, "output_size")](const BindContext& b) {
    const ValueFacts& x = real_input(b);
    return bind_kernel(x.dtype, adaptive_pool_geometry(size, x.shape), "adaptive_average_pool",
                       [](const kernels::PoolShape& shape, const auto* from, auto* to, auto& pool) {
                         kernels::adaptive_average_pool(shape, from, to, pool);
                       });
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_max_pool(const PrepareContext& context) { return via_float(context, prepare_wide_max_pool); }
std::unique_ptr<Prepared> prepare_average_pool(const PrepareContext& context) { return via_float(context, prepare_wide_average_pool); }
std::unique_ptr<Prepared> prepare_global_average_pool(const PrepareContext& context) {
  return via_float(context, prepare_wide_global_average_pool);
}
std::unique_ptr<Prepared> prepare_global_max_pool(const PrepareContext& context) {
  return via_float(context, prepare_wide_global_max_pool);
}
std::unique_ptr<Prepared> prepare_adaptive_average_pool(const PrepareContext& context) {
  return via_float(context, prepare_wide_adaptive_pool);
}

}  // namespace sardonyx::ops
