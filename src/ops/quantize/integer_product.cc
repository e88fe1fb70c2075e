#include "ops/quantize/integer_product.h"

#include <algorithm>

#include "core/arena.h"
#include "ops/facts.h"
#include "ops/quantize/centered.h"
#include "ops/quantize/quantize.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

size_t packed_matrix(const IntegerOperand& operand, size_t width) noexcept {
  return kernels::packed_integers(operand.count, operand.depth, width);
}

void pack_matrices(const IntegerOperand& operand, const IntegerSource& from, size_t width, int16_t* packed,
                   core::ThreadPool& pool) noexcept {
  const size_t matrix = operand.count * operand.depth, size = operand.lines.kind == kernels::IntegerKind::kInt16 ? 2 : 1;
  if (matrix == 0) return;
  for (size_t i = 0; i < operand.matrices; ++i) {
    kernels::IntegerLines lines = operand.lines;
    lines.data = static_cast<const std::byte*>(from.data) + i * matrix * size;
    if (from.zero) lines.zero = static_cast<const std::byte*>(from.zero) + static_cast<size_t>(operand.zero.offset(i * matrix)) * size;
    kernels::pack_integers(lines, operand.count, operand.depth, width, packed + i * packed_matrix(operand, width), pool);
  }
}

class ProductPrepared final : public Prepared {
 public:
  ProductPrepared(const PrepareContext& context, size_t b, size_t b_zero, BindProduct bind)
      : constant_(context, b, b_zero), b_(b), bind_(std::move(bind)) {}
  bool consumed_constant(size_t input) const override { return input == b_ && constant_.is_constant(); }
  std::unique_ptr<Bound> bind(const BindContext& context) const override { return bind_(context, constant_); }

 private:
  ConstantOperand constant_;
  size_t b_;
  BindProduct bind_;
};

}  // namespace

Shape with_matrix(Shape batch, size_t rows, size_t columns) {
  batch.insert(batch.end(), {to_int(rows), to_int(columns)});
  return batch;
}

kernels::IntegerKind integer_kind(DType dtype) noexcept {
  if (dtype == DType::kInt16) return kernels::IntegerKind::kInt16;
  return dtype == DType::kInt8 ? kernels::IntegerKind::kInt8 : kernels::IntegerKind::kUint8;
}

IntegerOperand left_operand(DType dtype, const Shape& batch, size_t rows, size_t depth) {
  IntegerOperand operand{.matrices = to_size(element_count(batch)), .count = rows, .depth = depth};
  operand.lines.kind = integer_kind(dtype);
  operand.lines.line_stride = static_cast<ptrdiff_t>(depth);
  return operand;
}

IntegerOperand right_operand(DType dtype, const Shape& batch, size_t depth, size_t columns) {
  IntegerOperand operand{.matrices = to_size(element_count(batch)), .count = columns, .depth = depth};
  operand.lines.kind = integer_kind(dtype);
  operand.lines.line_stride = 1;
  operand.lines.depth_stride = static_cast<ptrdiff_t>(columns);
  return operand;
}

void place_zero(IntegerOperand& operand, const ValueFacts* zero, const Shape& batch, bool is_left, std::string_view name) {
  if (!zero) return;
  const Shape matrices = is_left ? with_matrix(batch, operand.count, operand.depth) : with_matrix(batch, operand.depth, operand.count);
  operand.zero = line_view(zero->shape, matrices, is_left, fmt::format("the zero point of {}", name));
  const size_t rank = operand.zero.stride.size();
  operand.lines.zero_line_stride = operand.zero.stride[is_left ? rank - 2 : rank - 1];
  operand.lines.zero_depth_stride = operand.zero.stride[is_left ? rank - 1 : rank - 2];
}

ConstantOperand::ConstantOperand(const PrepareContext& context, size_t input, size_t zero_input) {
  const auto given = [&](size_t i) { return i < context.constants.size() ? context.constants[i] : nullptr; };
  const bool has_zero = zero_input < context.node.input.size() && !context.node.input[zero_input].empty();
  const bool is_known = given(input) != nullptr && (!has_zero || given(zero_input) != nullptr);
  packed_ = std::make_shared<PackedConstant>(is_known ? given(input) : nullptr, false);
  if (is_known && has_zero) zero_ = *given(zero_input);
}

IntegerProduct::IntegerProduct(const MatMulGeometry& geometry, IntegerOperand a, IntegerOperand b, const ConstantOperand& constant)
    : shape_(geometry.product), a_(std::move(a)), b_(std::move(b)), products_(to_size(element_count(geometry.batch))), keep_(constant) {
  const bool one_zero = std::ranges::all_of(a_.zero.stride, [](ptrdiff_t stride) { return stride == 0; });
  if (b_.matrices == 1 && one_zero && products_ == a_.matrices) {  // one matrix B for all rows of A: a single product
    shape_.m *= a_.matrices;
    a_.count = shape_.m;
    a_.matrices = products_ = 1;
  } else {
    a_batch_ = broadcast_view(geometry.a_batch, geometry.batch);
    b_batch_ = broadcast_view(geometry.b_batch, geometry.batch);
  }
  const kernels::IntegerTile tile = kernels::integer_tile();
  a_matrix_ = packed_matrix(a_, tile.rows);
  b_matrix_ = packed_matrix(b_, tile.columns);
  a_bytes_ = core::align_up(a_.matrices * a_matrix_ * sizeof(int16_t));
  if (constant.is_constant()) {
    packed_b_ = constant.packed(b_.matrices * b_matrix_, [&](const IntegerSource& from, int16_t* to) {
      pack_matrices(b_, from, tile.columns, to, core::shared_pool());
    });
  } else {
    b_bytes_ = core::align_up(b_.matrices * b_matrix_ * sizeof(int16_t));
  }
}

size_t IntegerProduct::scratch_bytes(int threads) const noexcept {
  return a_bytes_ + b_bytes_ + kernels::integer_gemm_scratch_bytes(threads);
}

const int16_t* IntegerProduct::pack(const IntegerOperand& operand, const IntegerSource& from, size_t width, std::byte* scratch,
                                    core::ThreadPool& pool) noexcept {
  auto* packed = reinterpret_cast<int16_t*>(scratch);
  pack_matrices(operand, from, width, packed, pool);
  return packed;
}

IntegerProduct bind_integer_product(const BindContext& context, const ProductPlaces& places, const ConstantOperand& constant) {
  const ValueFacts &a = required(context, places.a, "A"), &b = required(context, places.b, "B");
  require_dtype(a, kBytes, "A");
  require_dtype(b, kBytes, "B");
  const MatMulGeometry geometry = matmul_geometry(a.shape, b.shape);
  const kernels::GemmShape& s = geometry.product;
  IntegerOperand left = left_operand(a.dtype, geometry.a_batch, s.m, s.k), right = right_operand(b.dtype, geometry.b_batch, s.k, s.n);
  const ValueFacts *a_zero = optional(context, places.a_zero), *b_zero = optional(context, places.b_zero);
  if (a_zero) require_same_dtype(a, *a_zero, "A", "the zero point of A");
  if (b_zero) require_same_dtype(b, *b_zero, "B", "the zero point of B");
  place_zero(left, a_zero, geometry.a_batch, true, "A");
  place_zero(right, b_zero, geometry.b_batch, false, "B");
  return {geometry, std::move(left), std::move(right), constant};
}

IntegerSource source_of(const RunContext& r, size_t input, size_t zero_input) noexcept {
  const Tensor *data = optional(r, input), *zero = optional(r, zero_input);
  return {data ? data->raw() : nullptr, zero ? zero->raw() : nullptr};
}

std::unique_ptr<Prepared> prepare_integer_product(const PrepareContext& context, size_t b, size_t b_zero, BindProduct bind) {
  return std::make_unique<ProductPrepared>(context, b, b_zero, std::move(bind));
}

}  // namespace sardonyx::ops
