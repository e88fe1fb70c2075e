#include <cmath>

#include "core/arena.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/facts.h"
#include "ops/gemm/gemm.h"
#include "ops/gemm/packed_matrix.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

// How C is broadcast to (m, n). Strides are 0 where it repeats.
struct Addend {
  bool present = false;
  ptrdiff_t row_stride = 0, column_stride = 0;
};

Addend bind_addend(const BindContext& context, const kernels::GemmShape& shape) {
  const ValueFacts* c = optional(context, 2);
  if (!c) return {};
  require_same_dtype(*c, context.inputs[0], "C", "A");
  const Shape out = {to_int(shape.m), to_int(shape.n)};
  if (c->shape.size() > 2 || broadcast(c->shape, out) != out) {
    throw argument_error("C of shape {} does not broadcast to {}", to_string(c->shape), to_string(out));
  }
  const StridedView view = broadcast_view(c->shape, out);
  return {true, view.stride[0], view.stride[1]};
}

kernels::Epilogue make_epilogue(const GemmSpec& spec, const Addend& addend, const float* c) {
  kernels::Epilogue epilogue;
  epilogue.alpha = spec.alpha;
  epilogue.activation = spec.activation;
  if (!addend.present) return epilogue;
  if (spec.beta == 1.0f && addend.row_stride == 0 && addend.column_stride == 1) {
    epilogue.column_bias = c;
    return epilogue;
  }
  epilogue.beta = spec.beta;
  epilogue.addend = c;
  epilogue.addend_row_stride = addend.row_stride;
  epilogue.addend_column_stride = addend.column_stride;
  return epilogue;
}

const float* floats(const RunContext& r, size_t index) {
  const Tensor* tensor = optional(r, index);
  return tensor ? static_cast<const float*>(tensor->raw()) : nullptr;
}

// Types without a kernel: the product, then alpha, beta and C in the accumulation type.
template <class Acc>
void scale_and_add(const GemmSpec& spec, const Addend& addend, const Tensor* c, const kernels::GemmShape& shape, Tensor& y) {
  const LoadRun<Acc> load = load_run<Acc>(y.dtype());
  const StoreRun<Acc> store = store_run<Acc>(y.dtype());
  const auto bytes = static_cast<ptrdiff_t>(element_bytes(y.dtype()));
  auto* data = static_cast<std::byte*>(y.mutable_raw());
  const auto scaled = [](float factor, Acc value) {
    return factor == 1.0f ? value : static_cast<Acc>(static_cast<double>(factor) * static_cast<double>(value));
  };
  for (size_t i = 0; i < shape.m * shape.n; ++i, data += bytes) {
    Acc sum{}, other{};
    load(data, 1, 1, &sum);
    sum = scaled(spec.alpha, sum);
    if (addend.present) {
      const ptrdiff_t at =
          static_cast<ptrdiff_t>(i / shape.n) * addend.row_stride + static_cast<ptrdiff_t>(i % shape.n) * addend.column_stride;
      load(static_cast<const std::byte*>(c->raw()) + at * bytes, 1, 1, &other);
      other = scaled(spec.beta, other);
      if constexpr (std::is_integral_v<Acc>) {
        sum = static_cast<Acc>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(other));
      } else {
        sum += other;
      }
    }
    store(&sum, 1, data);
  }
}

class GemmPrepared final : public Prepared {
 public:
  GemmPrepared(GemmSpec spec, const Tensor* b) : spec_(spec), weights_(std::make_shared<PackedConstant>(b, false)) {}

  bool consumed_constant(size_t input) const override { return input == 1 && weights_->is_constant(); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    const ValueFacts& a = required(context, 0, "A");
    const ValueFacts& b = required(context, 1, "B");
    require_same_dtype(a, b, "A", "B");
    const kernels::GemmShape shape = gemm_shape(spec_, a.shape, b.shape);
    const Addend addend = bind_addend(context, shape);
    const Matrices matrices = {view(a.shape, spec_.transpose_a), view(b.shape, spec_.transpose_b)};
    ValueFacts y = output(a.dtype, {to_int(shape.m), to_int(shape.n)});
    auto bound = a.dtype == DType::kFloat32 ? bind_float(std::move(y), shape, addend, matrices, context)
                                            : bind_plain(std::move(y), shape, addend, matrices);
    bound->flops = 2.0 * static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
    return bound;
  }

 private:
  struct Matrices {
    kernels::Matrix a, b;  // without data
  };

  static kernels::Matrix view(const Shape& shape, bool transposed) {
    const ptrdiff_t columns = static_cast<ptrdiff_t>(shape[1]);
    return transposed ? kernels::Matrix::view(nullptr, 1, columns) : kernels::Matrix::view(nullptr, columns, 1);
  }

  std::unique_ptr<Bound> bind_float(ValueFacts y, const kernels::GemmShape& shape, const Addend& addend, const Matrices& matrices,
                                    const BindContext& context) const {
    const float* packed = weights_->is_constant() ? packed_right(*weights_, context.packing, shape, matrices.b) : nullptr;
    auto bound = make_bound(std::move(y), [spec = spec_, shape, addend, matrices, packed, keep = weights_](const RunContext& r) {
      if (r.outputs[0].numel() == 0) return;
      kernels::Matrix a = matrices.a, b = packed ? kernels::Matrix::packed(packed) : matrices.b;
      a.data = floats(r, 0);
      if (!packed) b.data = floats(r, 1);
      kernels::gemm(shape, a, b, make_epilogue(spec, addend, floats(r, 2)), static_cast<float*>(r.outputs[0].mutable_raw()),
                    static_cast<ptrdiff_t>(shape.n), r.scratch, r.pool);
    });
    bound->scratch_bytes = kernels::gemm_scratch_bytes(shape, false, packed != nullptr, context.threads);
    bound->kernel = packed ? "gemm_packed" : "gemm";
    if (!packed) bound->refusals.emplace_back("gemm_packed: B is no constant matrix of floats");
    return bound;
  }

  std::unique_ptr<Bound> bind_plain(ValueFacts y, const kernels::GemmShape& shape, const Addend& addend, const Matrices& matrices) const {
    const PlainProduct product = plain_product(y.dtype);
    if (!product) throw unsupported_error("there is no matrix product for elements of type {}", type_string(y.dtype));
    if (spec_.activation.is_any()) require_dtype(y, kReals, "Y");
    auto bound = make_bound(std::move(y), [spec = spec_, shape, addend, matrices, product](const RunContext& r) {
      Tensor& result = r.outputs[0];
      product(shape, {r.inputs[0].raw(), matrices.a.row_stride, matrices.a.column_stride},
              {r.inputs[1].raw(), matrices.b.row_stride, matrices.b.column_stride}, result.mutable_raw(), r.pool);
      with_accumulator(result.dtype(), [&]<class Acc>() { scale_and_add<Acc>(spec, addend, optional(r, 2), shape, result); });
      if (spec.activation.is_any()) activate_doubles(spec.activation, result, r.pool);
    });
    bound->kernel = "plain";
    bound->refusals.emplace_back("gemm: the elements are no floats");
    return bound;
  }

  GemmSpec spec_;
  std::shared_ptr<PackedConstant> weights_;
};

std::unique_ptr<Prepared> prepare_wide_gemm(const PrepareContext& context) {
  const Tensor* b = context.constants.size() > 1 ? context.constants[1] : nullptr;
  const bool packs = b && b->dtype() == DType::kFloat32 && b->dim() == 2;
  return std::make_unique<GemmPrepared>(gemm_spec_from_node(context.node, context.opset), packs ? b : nullptr);
}

}  // namespace

std::unique_ptr<Prepared> prepare_gemm(const PrepareContext& context) { return via_float(context, prepare_wide_gemm); }

}  // namespace sardonyx::ops
