#include "core/arena.h"
#include "ops/facts.h"
#include "ops/gemm/gemm.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"
#include "ops/weights/packed_constant.h"

namespace sardonyx::ops {
namespace {

// Products below this many multiply-adds run side by side, one to a thread; larger ones one after another, each on all threads.
constexpr double kSideBySide = 1 << 21;

// Where the matrices of each product of the batch begin, in matrices.
struct Batch {
  size_t count = 1;
  StridedView a, b;
};

Batch make_batch(const MatMulGeometry& geometry) {
  return {to_size(element_count(geometry.batch)), broadcast_view(geometry.a_batch, geometry.batch),
          broadcast_view(geometry.b_batch, geometry.batch)};
}

double multiply_adds(const kernels::GemmShape& s) { return static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k); }

class MatMulPrepared final : public Prepared {
 public:
  explicit MatMulPrepared(const Tensor* b) : weights_(std::make_shared<PackedConstant>(b, false)) {}

  bool consumed_constant(size_t input) const override { return input == 1 && weights_->is_constant(); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    const ValueFacts& a = required(context, 0, "A");
    const ValueFacts& b = required(context, 1, "B");
    require_same_dtype(a, b, "A", "B");
    MatMulGeometry geometry = matmul_geometry(a.shape, b.shape);
    ValueFacts y = output(a.dtype, geometry.out);
    const double flops = 2 * multiply_adds(geometry.product) * static_cast<double>(element_count(geometry.batch));
    // One matrix B for all rows of A: a single product.
    if (element_count(geometry.b_batch) == 1) {
      geometry.product.m *= to_size(element_count(geometry.a_batch));
      geometry.batch = geometry.a_batch = geometry.b_batch = {};
    }
    std::unique_ptr<Bound> bound =
        a.dtype == DType::kFloat32 ? bind_float(std::move(y), geometry, context.threads) : bind_plain(std::move(y), geometry);
    bound->flops = flops;
    return bound;
  }

 private:
  std::unique_ptr<Bound> bind_float(ValueFacts y, const MatMulGeometry& geometry, int threads) const {
    if (weights_->is_constant()) return bind_packed(std::move(y), geometry.product, threads);
    const Batch batch = make_batch(geometry);
    const kernels::GemmShape shape = geometry.product;
    const bool side_by_side = batch.count > 1 && multiply_adds(shape) < kSideBySide;
    const size_t scratch = core::align_up(kernels::gemm_scratch_bytes(shape, false, false, side_by_side ? 1 : threads));
    auto bound = make_bound(std::move(y), [batch, shape, side_by_side, scratch](const RunContext& r) {
      if (r.outputs[0].numel() == 0) return;
      const auto* a = static_cast<const float*>(r.inputs[0].raw());
      const auto* b = static_cast<const float*>(r.inputs[1].raw());
      auto* c = static_cast<float*>(r.outputs[0].mutable_raw());
      const auto columns = static_cast<ptrdiff_t>(shape.n);
      const auto one = [&](size_t i, size_t thread) {
        const float* left = a + batch.a.offset(i) * static_cast<ptrdiff_t>(shape.m * shape.k);
        const float* right = b + batch.b.offset(i) * static_cast<ptrdiff_t>(shape.k * shape.n);
        kernels::gemm(shape, kernels::Matrix::view(left, static_cast<ptrdiff_t>(shape.k)), kernels::Matrix::view(right, columns), {},
                      c + i * shape.m * shape.n, columns, r.scratch + thread * scratch, r.pool);
      };
      if (side_by_side) {
        r.pool.for_each_with_thread(batch.count, one);
      } else {
        for (size_t i = 0; i < batch.count; ++i) one(i, 0);
      }
    });
    bound->scratch_bytes = scratch * (side_by_side ? static_cast<size_t>(threads) : 1);
    bound->kernel = side_by_side ? "gemm_side_by_side" : "gemm";
    return bound;
  }

  std::unique_ptr<Bound> bind_packed(ValueFacts y, const kernels::GemmShape& shape, int threads) const {
    const float* packed = weights_->packed(kernels::packed_b_floats(shape.k, shape.n), [&](const float* plain, float* to) {
      kernels::pack_b(shape.k, shape.n, kernels::Matrix::view(plain, static_cast<ptrdiff_t>(shape.n)), to);
    });
    auto bound = make_bound(std::move(y), [shape, packed, keep = weights_](const RunContext& r) {
      if (r.outputs[0].numel() == 0) return;
      const auto* a = static_cast<const float*>(r.inputs[0].raw());
      kernels::gemm(shape, kernels::Matrix::view(a, static_cast<ptrdiff_t>(shape.k)), kernels::Matrix::packed(packed), {},
                    static_cast<float*>(r.outputs[0].mutable_raw()), static_cast<ptrdiff_t>(shape.n), r.scratch, r.pool);
    });
    bound->scratch_bytes = kernels::gemm_scratch_bytes(shape, false, true, threads);
    bound->kernel = "gemm_packed";
    return bound;
  }

  static std::unique_ptr<Bound> bind_plain(ValueFacts y, const MatMulGeometry& geometry) {
    const PlainProduct product = plain_product(y.dtype);
    if (!product) throw unsupported_error("there is no matrix product for elements of type {}", type_string(y.dtype));
    const size_t bytes = element_bytes(y.dtype);
    auto bound = make_bound(std::move(y), [batch = make_batch(geometry), shape = geometry.product, product, bytes](const RunContext& r) {
      if (r.outputs[0].numel() == 0) return;
      const auto at = [&](const void* data, ptrdiff_t matrix, size_t elements) {
        return static_cast<const std::byte*>(data) + matrix * static_cast<ptrdiff_t>(elements * bytes);
      };
      auto* c = static_cast<std::byte*>(r.outputs[0].mutable_raw());
      for (size_t i = 0; i < batch.count; ++i) {
        product(shape, {at(r.inputs[0].raw(), batch.a.offset(i), shape.m * shape.k), static_cast<ptrdiff_t>(shape.k), 1},
                {at(r.inputs[1].raw(), batch.b.offset(i), shape.k * shape.n), static_cast<ptrdiff_t>(shape.n), 1},
                c + i * shape.m * shape.n * bytes, r.pool);
      }
    });
    bound->kernel = "plain";
    return bound;
  }

  std::shared_ptr<PackedConstant> weights_;
};

std::unique_ptr<Prepared> prepare_wide_matmul(const PrepareContext& context) {
  const Tensor* b = context.constants.size() > 1 ? context.constants[1] : nullptr;
  const bool packs = b && b->dtype() == DType::kFloat32 && b->dim() <= 2;
  return std::make_unique<MatMulPrepared>(packs ? b : nullptr);
}

}  // namespace

std::unique_ptr<Prepared> prepare_matmul(const PrepareContext& context) { return via_float(context, prepare_wide_matmul); }

}  // namespace sardonyx::ops
