// QGemm, MatMulIntegerToFloat, DynamicQuantizeMatMul and MatMulInteger16 of com.microsoft: exact products of integers, then a scale.
#include "core/arena.h"
#include "ops/elements/real.h"
#include "ops/quantize/byte_scale.h"
#include "ops/quantize/centered.h"
#include "ops/quantize/integer_product.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Sums become floats: sum * a_scale * b_scale + bias, where b_scale is one value, one for each column, or of a shape that broadcasts to the
// result. MatMulIntegerToFloat.
struct FloatProduct {
  IntegerProduct product;
  PerLine b_scale;
  size_t b_scale_input, bias_input;

  void store(const RunContext& r, float a_scale, size_t row, size_t column, size_t columns, const int32_t* sums) const {
    float scale[kernels::kIntegerColumns];
    const float* from = input_data<float>(r, b_scale_input) + b_scale.at(row, column);
    const size_t step = b_scale.column_step();
    for (size_t i = 0; i < (step == 0 ? 1 : columns); ++i) scale[i] = a_scale * from[i * step];
    const auto* bias = input_data<float>(r, bias_input);
    kernels::scale_sums({.scale = scale, .scale_step = step == 0 ? size_t{0} : 1}, sums, columns, bias ? bias + column : nullptr,
                        output_data<float>(r, 0) + row * product.shape().n + column);
  }
};

void check_float(const BindContext& b, size_t input, std::string_view name) {
  require_dtype(required(b, input, name), {DType::kFloat32}, name);
}

void check_bias(const BindContext& b, size_t input, size_t columns) {
  const ValueFacts* bias = optional(b, input);
  if (!bias) return;
  require_dtype(*bias, {DType::kFloat32}, "bias");
  if (bias->shape != Shape{to_int(columns)}) {
    throw argument_error("bias has shape {}; it must be [{}]", to_string(bias->shape), columns);
  }
}

// Inputs A, B, a_scale, b_scale, a_zero_point, b_zero_point, bias.
std::unique_ptr<Bound> bind_to_float(const BindContext& b, const ConstantOperand& constant) {
  const IntegerProduct product = bind_integer_product(b, {0, 4, 1, 5}, constant);
  const MatMulGeometry g = matmul_geometry(b.inputs[0].shape, b.inputs[1].shape);
  check_float(b, 2, "a_scale");
  check_float(b, 3, "b_scale");
  check_one_value(b.inputs[2], "a_scale");
  check_bias(b, 6, g.product.n);
  const FloatProduct step = {product, PerLine(b.inputs[3].shape, with_matrix(g.batch, g.product.m, g.product.n), false, "b_scale"), 3, 6};
  auto bound = make_bound(output(DType::kFloat32, g.out), [step](const RunContext& r) {
    const float a_scale = *input_data<float>(r, 2);
    step.product.run(
        source_of(r, 0, 4), source_of(r, 1, 5), r.scratch, r.pool,
        [&](size_t row, size_t column, size_t columns, const int32_t* sums) { step.store(r, a_scale, row, column, columns, sums); });
  });
  bound->scratch_bytes = product.scratch_bytes(b.threads);
  return bound;
}

// A is quantised to uint8 as DynamicQuantizeLinear does it. Inputs A (float), B, b_scale, b_zero_point, bias.
std::unique_ptr<Bound> bind_dynamic(const BindContext& b, const ConstantOperand& constant) {
  const ValueFacts& a = required(b, 0, "A");
  check_float(b, 0, "A");
  check_float(b, 2, "b_scale");
  const std::vector<ValueFacts> operands = {ValueFacts{DType::kUInt8, a.shape, nullptr}, required(b, 1, "B"), ValueFacts{},
                                            optional(b, 3) ? b.inputs[3] : ValueFacts{}};
  const IntegerProduct product = bind_integer_product({operands, b.threads}, {0, 2, 1, 3}, constant);
  const MatMulGeometry g = matmul_geometry(a.shape, operands[1].shape);
  check_bias(b, 4, g.product.n);
  const FloatProduct step = {product, PerLine(b.inputs[2].shape, with_matrix(g.batch, g.product.m, g.product.n), false, "b_scale"), 2, 4};
  const size_t product_bytes = core::align_up(product.scratch_bytes(b.threads));
  auto bound = make_bound(output(DType::kFloat32, g.out), [step, product_bytes](const RunContext& r) {
    const std::span<const float> from = r.inputs[0].values<float>();
    auto* bytes = reinterpret_cast<uint8_t*>(r.scratch + product_bytes);
    const DynamicScale found = dynamic_scale(from);
    quantize_bytes(found, from, bytes, r.pool);
    step.product.run(
        {bytes, &found.zero}, source_of(r, 1, 3), r.scratch, r.pool,
        [&](size_t row, size_t column, size_t columns, const int32_t* sums) { step.store(r, found.scale, row, column, columns, sums); });
  });
  bound->scratch_bytes = product_bytes + to_size(element_count(a.shape));
  return bound;
}

std::unique_ptr<Bound> bind_integer16(const BindContext& b, const ConstantOperand& constant) {
  const ValueFacts &left = required(b, 0, "A"), &right = required(b, 1, "B");
  require_dtype(left, {DType::kInt16}, "A");
  require_dtype(right, {DType::kInt16}, "B");
  const MatMulGeometry g = matmul_geometry(left.shape, right.shape);
  const IntegerProduct product(g, left_operand(DType::kInt16, g.a_batch, g.product.m, g.product.k),
                               right_operand(DType::kInt16, g.b_batch, g.product.k, g.product.n), constant);
  auto bound = make_bound(output(DType::kInt32, g.out), [product](const RunContext& r) {
    product.run({r.inputs[0].raw(), nullptr}, source_of(r, 1, 2), r.scratch, r.pool,
                [&](size_t row, size_t column, size_t columns, const int32_t* sums) {
                  std::copy_n(sums, columns, output_data<int32_t>(r, 0) + row * product.shape().n + column);
                });
  });
  bound->scratch_bytes = product.scratch_bytes(b.threads);
  return bound;
}

// Inputs of QGemm.
enum : size_t { kA, kAScale, kAZero, kB, kBScale, kBZero, kC, kYScale, kYZero };

// y = (A' * B' + C) * alpha * a_scale * b_scale, and where y_scale is given, quantised.
struct QGemm {
  IntegerProduct product;
  PerLine c;
  float alpha;
  size_t scales;  // of B: one, or one for each column
  size_t scales_at;
  DType to;

  void run(const RunContext& r) const {
    auto* scale = reinterpret_cast<float*>(r.scratch + scales_at);
    const float a_scale = *input_data<float>(r, kAScale);
    const auto* y_scale = input_data<float>(r, kYScale);
    for (size_t i = 0; i < scales; ++i) {
      scale[i] = alpha * a_scale * input_data<float>(r, kBScale)[i];
      if (y_scale) scale[i] /= *y_scale;
    }
    const int32_t zero = y_scale ? byte_scale(r, {kYScale, kYZero}).zero : 0;
    product.run(source_of(r, kA, kAZero), source_of(r, kB, kBZero), r.scratch, r.pool,
                [&](size_t row, size_t column, size_t columns, const int32_t* sums) { store(r, scale, zero, row, column, columns, sums); });
  }

 private:
  void store(const RunContext& r, const float* scale, int32_t zero, size_t row, size_t column, size_t columns, const int32_t* sums) const {
    const auto* addend = input_data<int32_t>(r, kC);
    const size_t step = scales > 1 ? 1 : 0, at = row * product.shape().n + column;
    const kernels::Requantizer requantizer = {.scale = scale + step * column,
                                              .scale_step = step,
                                              .zero = &zero,
                                              .bias = addend ? addend + c.at(row, column) : nullptr,
                                              .bias_step = c.column_step()};
    if (to == DType::kFloat32) return kernels::scale_sums(requantizer, sums, columns, nullptr, output_data<float>(r, 0) + at);
    with_byte(to, [&]<class T>() { kernels::requantize(requantizer, sums, columns, output_data<T>(r, 0) + at); });
  }
};

IntegerProduct bind_gemm_product(const GemmSpec& spec, const BindContext& b, const ConstantOperand& constant) {
  const ValueFacts &left = required(b, kA, "A"), &right = required(b, kB, "B");
  require_dtype(left, kBytes, "A");
  require_dtype(right, kBytes, "B");
  MatMulGeometry g;
  g.product = gemm_shape(spec, left.shape, right.shape);
  const auto m = static_cast<ptrdiff_t>(g.product.m), k = static_cast<ptrdiff_t>(g.product.k);
  IntegerOperand a = left_operand(left.dtype, {}, g.product.m, g.product.k), c = right_operand(right.dtype, {}, g.product.k, g.product.n);
  if (spec.transpose_a) a.lines.line_stride = 1, a.lines.depth_stride = m;
  if (spec.transpose_b) c.lines.line_stride = k, c.lines.depth_stride = 1;
  const ValueFacts *a_zero = optional(b, kAZero), *b_zero = optional(b, kBZero);
  if (a_zero) {
    require_same_dtype(left, *a_zero, "A", "a_zero_point");
    check_one_value(*a_zero, "a_zero_point");
  }
  if (b_zero) require_same_dtype(right, *b_zero, "B", "b_zero_point");
  place_zero(a, a_zero, {}, true, "A");
  place_zero(c, b_zero, {}, false, "B");
  return {g, std::move(a), std::move(c), constant};
}

// Gives the type of y.
DType check_gemm_scales(const BindContext& b, size_t columns) {
  check_float(b, kAScale, "a_scale");
  check_float(b, kBScale, "b_scale");
  check_one_value(b.inputs[kAScale], "a_scale");
  if (!is_one_value(b.inputs[kBScale].shape) && b.inputs[kBScale].shape != Shape{to_int(columns)}) {
    throw argument_error("b_scale has shape {}; it must be a scalar or [{}]", to_string(b.inputs[kBScale].shape), columns);
  }
  const ValueFacts *y_scale = optional(b, kYScale), *y_zero = optional(b, kYZero);
  if ((y_scale == nullptr) != (y_zero == nullptr)) {
    throw argument_error("y_scale and y_zero_point must both be given, or neither of them");
  }
  if (!y_zero) return DType::kFloat32;
  require_dtype(*y_zero, kBytes, "y_zero_point");
  check_byte_scale(b, {kYScale, kYZero}, y_zero->dtype, "y");
  return y_zero->dtype;
}

std::unique_ptr<Bound> bind_qgemm(const GemmSpec& spec, const BindContext& b, const ConstantOperand& constant) {
  const IntegerProduct product = bind_gemm_product(spec, b, constant);
  const Shape out = {to_int(product.shape().m), to_int(product.shape().n)};
  const DType to = check_gemm_scales(b, product.shape().n);
  PerLine c;
  if (const ValueFacts* given = optional(b, kC)) {
    require_dtype(*given, {DType::kInt32}, "C");
    c = PerLine(given->shape, out, false, "C");
  }
  ValueFacts y = output(to, out);
  const size_t scales_at = core::align_up(product.scratch_bytes(b.threads)), scales = to_size(element_count(b.inputs[kBScale].shape));
  const QGemm step = {product, c, spec.alpha, scales, scales_at, to};
  auto bound = make_bound(std::move(y), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = scales_at + scales * sizeof(float);
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_matmul_integer_to_float(const PrepareContext& context) {
  return prepare_integer_product(context, 1, 5, bind_to_float);
}
std::unique_ptr<Prepared> prepare_dynamic_quantize_matmul(const PrepareContext& context) {
  return prepare_integer_product(context, 1, 3, bind_dynamic);
}
std::unique_ptr<Prepared> prepare_matmul_integer16(const PrepareContext& context) {
  return prepare_integer_product(context, 1, 2, bind_integer16);
}
std::unique_ptr<Prepared> prepare_qgemm(const PrepareContext& context) {
  return prepare_integer_product(context, kB, kBZero,
                                 [spec = gemm_spec_from_node(context.node, context.opset)](
                                     const BindContext& b, const ConstantOperand& constant) { return bind_qgemm(spec, b, constant); });
}

}  // namespace sardonyx::ops
