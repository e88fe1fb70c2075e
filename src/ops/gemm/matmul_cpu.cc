#include "core/arena.h"
#include "ops/elements/real.h"
#include "ops/facts.h"
#include "ops/gemm/gemm.h"
#include "ops/gemm/packed_matrix.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

// Products below this many multiply-adds run side by side, one to a thread; larger ones one after another, each on all threads.
constexpr double kSideBySide = 1 << 21;

// Where the matrices of each product of the batch begin, in matrices of the operand's own batch.
struct Batch {
  size_t count = 1;
  StridedView a, b;
};

Batch make_batch(const MatMulGeometry& geometry) {
  return {to_size(element_count(geometry.batch)), broadcast_view(geometry.a_batch, geometry.batch),
          broadcast_view(geometry.b_batch, geometry.batch)};
}

double multiply_adds(const kernels::GemmShape& s) { return static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k); }

// One matrix B for all rows of A, which follow each other: a single product.
void merge_batch(MatMulGeometry& geometry, const MatMulSpec::Layout& a) {
  if (element_count(geometry.b_batch) != 1 || a.transpose || a.batch_inside) return;
  geometry.product.m *= to_size(element_count(geometry.a_batch));
  geometry.batch = geometry.a_batch = geometry.b_batch = {};
}

void add_to_rows(const double* bias, size_t columns, Tensor& y) {
  size_t column = 0;
  for (double& value : y.mutable_values<double>()) {
    value += bias[column];
    if (++column == columns) column = 0;
  }
}

class MatMulPrepared final : public Prepared {
 public:
  MatMulPrepared(const MatMulSpec& spec, const Tensor* b) : spec_(spec), weights_(std::make_shared<PackedConstant>(b, false)) {}

  bool consumed_constant(size_t input) const override { return input == 1 && weights_->is_constant(); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    const ValueFacts& a = required(context, 0, "A");
    const ValueFacts& b = required(context, 1, "B");
    require_same_dtype(a, b, "A", "B");
    MatMulGeometry geometry = matmul_geometry(a.shape, b.shape, spec_);
    ValueFacts y = output(a.dtype, geometry.out);
    check_bias(context, geometry);
    if (element_count(y.shape) == 0) return make_bound(std::move(y), [](const RunContext&) {});
    const double flops = 2 * multiply_adds(geometry.product) * static_cast<double>(element_count(geometry.batch));
    merge_batch(geometry, spec_.a);
    std::unique_ptr<Bound> bound =
        a.dtype == DType::kFloat32 ? bind_float(std::move(y), geometry, context) : bind_plain(std::move(y), geometry);
    bound->flops = flops;
    return bound;
  }

 private:
  static void check_bias(const BindContext& context, const MatMulGeometry& geometry) {
    const ValueFacts* bias = optional(context, 2);
    if (!bias) return;
    require_dtype(*bias, kReals, "bias");
    require_same_dtype(*bias, context.inputs[0], "bias", "A");
    const Shape expected = {to_int(geometry.product.n)};
    if (bias->shape != expected) throw argument_error("bias has shape {}; it must be {}", to_string(bias->shape), to_string(expected));
  }

  static kernels::Matrix view(const float* data, const MatMulGeometry::Steps& steps) {
    return kernels::Matrix::view(data, steps.row, steps.column);
  }

  // B packed; without data unless it is a constant.
  kernels::Matrix packed_weights(const MatMulGeometry& geometry, const Packing& packing) const {
    if (!weights_->is_constant()) return {};
    return kernels::Matrix::packed(packed_right(*weights_, packing, geometry.product, view(nullptr, geometry.b)));
  }

  std::unique_ptr<Bound> bind_float(ValueFacts y, const MatMulGeometry& geometry, const BindContext& context) const {
    const int threads = context.threads;
    const kernels::Matrix packed = packed_weights(geometry, context.packing);
    const Batch batch = make_batch(geometry);
    const kernels::GemmShape shape = geometry.product;
    const bool side_by_side = batch.count > 1 && multiply_adds(shape) < kSideBySide;
    const size_t scratch = core::align_up(kernels::gemm_scratch_bytes(shape, false, packed.is_packed, side_by_side ? 1 : threads));
    auto bound = make_bound(std::move(y), [batch, shape, side_by_side, scratch, packed, a_steps = geometry.a, b_steps = geometry.b,
                                           alpha = spec_.alpha, activation = spec_.activation, keep = weights_](const RunContext& r) {
      const auto* a = static_cast<const float*>(r.inputs[0].raw());
      const auto* b = packed.is_packed ? nullptr : static_cast<const float*>(r.inputs[1].raw());
      auto* c = static_cast<float*>(r.outputs[0].mutable_raw());
      kernels::Epilogue epilogue;
      epilogue.alpha = alpha;
      epilogue.column_bias = input_data<float>(r, 2);
      epilogue.activation = activation;
      const auto one = [&](size_t i, size_t thread) {
        const kernels::Matrix right = packed.is_packed ? packed : view(b + batch.b.offset(i) * b_steps.matrix, b_steps);
        kernels::gemm(shape, view(a + batch.a.offset(i) * a_steps.matrix, a_steps), right, epilogue, c + i * shape.m * shape.n,
                      static_cast<ptrdiff_t>(shape.n), r.scratch + thread * scratch, r.pool);
      };
      if (side_by_side) {
        r.pool.for_each_with_thread(batch.count, one);
      } else {
        for (size_t i = 0; i < batch.count; ++i) one(i, 0);
      }
    });
    bound->scratch_bytes = scratch * (side_by_side ? static_cast<size_t>(threads) : 1);
    bound->kernel = packed.is_packed ? "gemm_packed" : side_by_side ? "gemm_side_by_side" : "gemm";
    if (!packed.is_packed) bound->refusals.emplace_back("gemm_packed: B is no constant matrix of floats");
    return bound;
  }

  std::unique_ptr<Bound> bind_plain(ValueFacts y, const MatMulGeometry& geometry) const {
    const PlainProduct product = plain_product(y.dtype);
    if (!product) throw unsupported_error("there is no matrix product for elements of type {}", type_string(y.dtype));
    if (spec_.alpha != 1.0f && y.dtype != DType::kFloat64) {
      throw unsupported_error("attribute alpha scales products of floating-point numbers, not of {}", type_string(y.dtype));
    }
    const auto bytes = static_cast<ptrdiff_t>(element_bytes(y.dtype));
    if (spec_.activation.is_any()) require_dtype(y, kReals, "Y");
    auto bound = make_bound(
        std::move(y), [batch = make_batch(geometry), shape = geometry.product, a_steps = geometry.a, b_steps = geometry.b, product, bytes,
                       alpha = static_cast<double>(spec_.alpha), activation = spec_.activation](const RunContext& r) {
          const auto at = [&](const void* data, ptrdiff_t matrix, const MatMulGeometry::Steps& steps) {
            return PlainMatrix{static_cast<const std::byte*>(data) + matrix * steps.matrix * bytes, steps.row, steps.column};
          };
          auto* c = static_cast<std::byte*>(r.outputs[0].mutable_raw());
          const ptrdiff_t step = static_cast<ptrdiff_t>(shape.m * shape.n) * bytes;
          for (size_t i = 0; i < batch.count; ++i, c += step) {
            product(shape, at(r.inputs[0].raw(), batch.a.offset(i), a_steps), at(r.inputs[1].raw(), batch.b.offset(i), b_steps), c, r.pool);
          }
          if (alpha != 1.0) {
            for (double& value : r.outputs[0].mutable_values<double>()) value *= alpha;
          }
          if (const double* bias = input_data<double>(r, 2)) add_to_rows(bias, shape.n, r.outputs[0]);
          if (activation.is_any()) activate_doubles(activation, r.outputs[0], r.pool);
        });
    bound->kernel = "plain";
    bound->refusals.emplace_back("gemm: the elements are no floats");
    return bound;
  }

  MatMulSpec spec_;
  std::shared_ptr<PackedConstant> weights_;
};

std::unique_ptr<Prepared> prepare_wide_matmul(const PrepareContext& context) {
  const Tensor* b = context.constants.size() > 1 ? context.constants[1] : nullptr;
  const bool packs = b && b->dtype() == DType::kFloat32 && b->dim() <= 2;
  return std::make_unique<MatMulPrepared>(matmul_spec_from_node(context.node, context.opset), packs ? b : nullptr);
}

}  // namespace

std::unique_ptr<Prepared> prepare_matmul(const PrepareContext& context) { return via_float(context, prepare_wide_matmul); }

}  // namespace sardonyx::ops
