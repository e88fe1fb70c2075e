// Matrix products of bytes minus their zero points (and of int16): from the operands of MatMulInteger and all that end in its sums, to the
// packed panels of kernels/cpu/quant/integer_gemm.h.
#pragma once

#include <functional>
#include <memory>

#include "kernels/cpu/quant/integer_gemm.h"
#include "kernels/cpu/quant/requantize.h"
#include "ops/gemm/gemm.h"
#include "ops/movement/strided.h"
#include "ops/op.h"
#include "ops/weights/packed_constant.h"

namespace sardonyx::ops {

// int8, uint8 or int16.
kernels::IntegerKind integer_kind(DType dtype) noexcept;

// The shape of matrices one after another.
Shape with_matrix(Shape batch, size_t rows, size_t columns);

// Matrices one after another whose lines (rows of a left operand, columns of a right one) are packed.
struct IntegerOperand {
  kernels::IntegerLines lines = {};  // strides and kind; data and zero points come at run time
  size_t matrices = 1, count = 0, depth = 0;
  StridedView zero = {};  // of the shape of all matrices; without dimensions: one value
};
// Rows of contiguous matrices (batch..., rows, depth); columns of (batch..., depth, columns).
IntegerOperand left_operand(DType dtype, const Shape& batch, size_t rows, size_t depth);
IntegerOperand right_operand(DType dtype, const Shape& batch, size_t depth, size_t columns);
// The place of zero points among the lines: one, one for each line, or any shape that broadcasts to the matrices.
void place_zero(IntegerOperand& operand, const ValueFacts* zero, const Shape& batch, bool is_left, std::string_view name);

struct IntegerSource {
  const void* data = nullptr;
  const void* zero = nullptr;  // null: 0
};

// The constant right operand of a node: packed once, if its zero point is constant, too.
class ConstantOperand {
 public:
  ConstantOperand() = default;
  ConstantOperand(const PrepareContext& context, size_t input, size_t zero_input);
  bool is_constant() const noexcept { return packed_ && packed_->is_constant(); }
  // The layout must follow from the node alone: it is made once. `pack(IntegerSource, int16_t* packed)` writes `count` numbers.
  template <class Pack>
  const int16_t* packed(size_t count, const Pack& pack) const {
    return packed_->packed_as<int16_t>(count, [&](const Tensor& plain, int16_t* to) {
      pack(IntegerSource{plain.raw(), zero_.defined() ? zero_.raw() : nullptr}, to);
    });
  }

 private:
  std::shared_ptr<PackedConstant> packed_;
  Tensor zero_;
};

class IntegerProduct {
 public:
  // `constant` may hold the right operand.
  IntegerProduct(const MatMulGeometry& geometry, IntegerOperand a, IntegerOperand b, const ConstantOperand& constant);

  size_t scratch_bytes(int threads) const noexcept;
  // Calls sink(row, column, columns, sums) with runs of a row of the result, rows counted over all products, from several threads.
  template <class Sink>
  void run(const IntegerSource& a, const IntegerSource& b, std::byte* scratch, core::ThreadPool& pool, const Sink& sink) const {
    const int16_t* left = pack(a_, a, kernels::integer_tile().rows, scratch, pool);
    const int16_t* right = packed_b_ ? packed_b_ : pack(b_, b, kernels::integer_tile().columns, scratch + a_bytes_, pool);
    kernels::integer_gemm(
        shape_, products_, [&](size_t i) { return left + static_cast<size_t>(a_batch_.offset(i)) * a_matrix_; },
        [&](size_t i) { return right + static_cast<size_t>(b_batch_.offset(i)) * b_matrix_; }, scratch + a_bytes_ + b_bytes_, pool,
        [&](size_t i, size_t row, size_t column, size_t columns, const int32_t* sums) { sink(i * shape_.m + row, column, columns, sums); });
  }
  const kernels::GemmShape& shape() const noexcept { return shape_; }
  bool takes_constant() const noexcept { return packed_b_ != nullptr; }

 private:
  static const int16_t* pack(const IntegerOperand& operand, const IntegerSource& from, size_t width, std::byte* scratch,
                             core::ThreadPool& pool) noexcept;

  kernels::GemmShape shape_;
  IntegerOperand a_, b_;
  StridedView a_batch_, b_batch_;  // in matrices
  size_t products_ = 1, a_matrix_ = 0, b_matrix_ = 0, a_bytes_ = 0, b_bytes_ = 0;
  const int16_t* packed_b_ = nullptr;
  ConstantOperand keep_;
};

// The product of inputs a and b as numpy multiplies matrices, with their zero points; every element type must be int8 or uint8.
struct ProductPlaces {
  size_t a, a_zero, b, b_zero;
};
IntegerProduct bind_integer_product(const BindContext& b, const ProductPlaces& places, const ConstantOperand& constant);
IntegerSource source_of(const RunContext& r, size_t input, size_t zero_input) noexcept;

// A node whose bind is function(BindContext, ConstantOperand) and whose input `b` may be packed.
using BindProduct = std::function<std::unique_ptr<Bound>(const BindContext& context, const ConstantOperand& constant)>;
std::unique_ptr<Prepared> prepare_integer_product(const PrepareContext& context, size_t b, size_t b_zero, BindProduct bind);

}  // namespace sardonyx::ops
