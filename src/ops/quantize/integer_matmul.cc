// MatMulInteger and QLinearMatMul.
#include "core/arena.h"
#include "kernels/cpu/quant/integer_product.h"
#include "ops/cast/cast.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/gemm/gemm.h"
#include "ops/quantize/centered.h"
#include "ops/quantize/quantize.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Where the operands and their zero points stand among the inputs.
struct Places {
  size_t a, a_zero, b, b_zero;
};

struct Operand {
  size_t input, zero_input, columns, count;
  PerLine zero;
  StridedView batch;  // in matrices
};

Operand bind_operand(const BindContext& b, size_t input, size_t zero_input, Shape matrix, const Shape& own_batch, const Shape& batch,
                     bool by_rows, std::string_view name) {
  Operand operand{.input = input,
                  .zero_input = zero_input,
                  .columns = to_size(matrix.back()),
                  .count = to_size(element_count(matrix)),
                  .zero = {},
                  .batch = broadcast_view(own_batch, batch)};
  if (const ValueFacts* zero = optional(b, zero_input)) {
    require_same_dtype(b.inputs[input], *zero, name, fmt::format("the zero point of {}", name));
    operand.zero = PerLine(zero->shape, matrix, by_rows, fmt::format("the zero point of {}", name));
  }
  return operand;
}

// The product of all matrices of a batch, from bytes to 32-bit sums, or from float8 to doubles.
struct CenteredProduct {
  MatMulGeometry geometry;
  Operand a, b;
  DType a_type, b_type;
  Shape matrix_out;  // batch sizes, rows, columns

  bool in_integers() const noexcept { return kBytes.has(a_type) && kBytes.has(b_type); }
  size_t element() const noexcept { return in_integers() ? sizeof(int16_t) : sizeof(double); }
  size_t a_bytes() const noexcept { return core::align_up(a.count * element()); }
  size_t scratch_bytes() const noexcept { return a_bytes() + core::align_up(b.count * element()); }

  void integers(const RunContext& r, int32_t* c) const {
    auto* left = reinterpret_cast<int16_t*>(r.scratch);
    auto* right = reinterpret_cast<int16_t*>(r.scratch + a_bytes());
    center(r.inputs[a.input], optional(r, a.zero_input), a.zero, a.columns, left, r.pool);
    center(r.inputs[b.input], optional(r, b.zero_input), b.zero, b.columns, right, r.pool);
    each([&](size_t i, size_t a_at, size_t b_at) {
      const kernels::GemmShape& s = geometry.product;
      kernels::integer_product(s.m, s.n, s.k, left + a_at, right + b_at, c + i * s.m * s.n, r.pool);
    });
  }

  void doubles(const RunContext& r, double* c) const {
    auto* left = reinterpret_cast<double*>(r.scratch);
    auto* right = reinterpret_cast<double*>(r.scratch + a_bytes());
    widen(r, a, left);
    widen(r, b, right);
    each([&](size_t i, size_t a_at, size_t b_at) {
      const kernels::GemmShape& s = geometry.product;
      plain_product(DType::kFloat64)(s, {left + a_at, static_cast<ptrdiff_t>(s.k), 1}, {right + b_at, static_cast<ptrdiff_t>(s.n), 1},
                                     c + i * s.m * s.n, r.pool);
    });
  }

 private:
  template <class Visit>
  void each(const Visit& visit) const {
    const kernels::GemmShape& s = geometry.product;
    for (size_t i = 0; i < to_size(element_count(geometry.batch)); ++i) {
      visit(i, static_cast<size_t>(a.batch.offset(i)) * s.m * s.k, static_cast<size_t>(b.batch.offset(i)) * s.k * s.n);
    }
  }

  static void widen(const RunContext& r, const Operand& operand, double* to) {
    const Tensor& data = r.inputs[operand.input];
    load_elements(data.dtype(), data.raw(), 0, operand.count, to);
    const Tensor* zero = optional(r, operand.zero_input);
    if (!zero) return;
    for (size_t i = 0; i < operand.count; ++i) {
      double value = 0;
      load_elements(zero->dtype(), zero->raw(), operand.zero.at(i / operand.columns, i % operand.columns), 1, &value);
      to[i] -= value;
    }
  }
};

Shape with_matrix(Shape batch, size_t rows, size_t columns) {
  batch.insert(batch.end(), {to_int(rows), to_int(columns)});
  return batch;
}

CenteredProduct bind_product(const BindContext& b, const Places& places) {
  const ValueFacts &left = required(b, places.a, "A"), &right = required(b, places.b, "B");
  const MatMulGeometry g = matmul_geometry(left.shape, right.shape);
  const kernels::GemmShape& s = g.product;
  return {g,
          bind_operand(b, places.a, places.a_zero, with_matrix(g.a_batch, s.m, s.k), g.a_batch, g.batch, true, "A"),
          bind_operand(b, places.b, places.b_zero, with_matrix(g.b_batch, s.k, s.n), g.b_batch, g.batch, false, "B"),
          left.dtype,
          right.dtype,
          with_matrix(g.batch, s.m, s.n)};
}

std::unique_ptr<Bound> bind_matmul_integer(const BindContext& b) {
  const CenteredProduct product = bind_product(b, {0, 2, 1, 3});
  require_dtype(b.inputs[0], kBytes, "A");
  require_dtype(b.inputs[1], kBytes, "B");
  auto bound = make_bound(output(DType::kInt32, product.geometry.out), [product](const RunContext& r) {
    if (r.outputs[0].numel() != 0) product.integers(r, output_data<int32_t>(r, 0));
  });
  bound->scratch_bytes = product.scratch_bytes();
  return bound;
}

struct QLinearMatMul {
  CenteredProduct product;
  PerLine a_scale = {}, b_scale = {}, y_scale = {}, y_zero = {};
  DType to = DType::kUndefined;

  size_t sums_at() const noexcept { return product.scratch_bytes(); }
  size_t scratch_bytes() const { return sums_at() + to_size(element_count(product.matrix_out)) * sizeof(double); }

  void run(const RunContext& r) const {
    if (r.outputs[0].numel() == 0) return;
    std::byte* sums = r.scratch + sums_at();
    if (product.in_integers()) {
      product.integers(r, reinterpret_cast<int32_t*>(sums));
      store_rows(r, reinterpret_cast<int32_t*>(sums));
    } else {
      product.doubles(r, reinterpret_cast<double*>(sums));
      store_rows(r, reinterpret_cast<double*>(sums));
    }
  }

 private:
  static double value(const RunContext& r, size_t input, const PerLine& line, size_t row, size_t column) noexcept {
    double result = 0;
    load_elements(r.inputs[input].dtype(), r.inputs[input].raw(), line.at(row, column), 1, &result);
    return result;
  }

  template <class Sum>
  void store_rows(const RunContext& r, const Sum* sums) const {
    const size_t columns = product.geometry.product.n;
    void* target = r.outputs[0].mutable_raw();
    r.pool.for_each(to_size(r.outputs[0].numel()) / columns, [&](size_t row) {
      for (size_t j = 0; j < columns; ++j) {
        const auto scale = static_cast<float>(value(r, 1, a_scale, row, j)) * static_cast<float>(value(r, 4, b_scale, row, j)) /
                           static_cast<float>(value(r, 6, y_scale, row, j));
        const double quotient = static_cast<double>(sums[row * columns + j]) * static_cast<double>(scale);
        const double zero = value(r, 7, y_zero, row, j);
        const double result = kBytes.has(to) ? quantized(quotient, zero, quant_range(to)) : quotient + zero;
        store_elements(CastSpec{.to = to}, to, &result, row * columns + j, 1, target);
      }
    });
  }
};

std::unique_ptr<Bound> bind_qlinear_matmul(const BindContext& b) {
  constexpr std::array<std::string_view, 8> kNames = {"a",       "a_scale",      "a_zero_point", "b",
                                                      "b_scale", "b_zero_point", "y_scale",      "y_zero_point"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    const bool is_scale = i == 1 || i == 4 || i == 6;
    constexpr DTypeSet kScales = {DType::kFloat32, DType::kFloat16, DType::kBFloat16};
    require_dtype(required(b, i, kNames[i]), is_scale ? kScales : kBytes | kFloat8Kinds, kNames[i]);
  }
  QLinearMatMul step{.product = bind_product(b, {0, 2, 3, 5}), .to = b.inputs[7].dtype};
  const Shape& out = step.product.matrix_out;
  step.a_scale = PerLine(b.inputs[1].shape, out, true, kNames[1]);
  step.b_scale = PerLine(b.inputs[4].shape, out, false, kNames[4]);
  step.y_scale = PerLine(b.inputs[6].shape, out, true, kNames[6]);
  step.y_zero = PerLine(b.inputs[7].shape, out, true, kNames[7]);
  ValueFacts y = output(step.to, step.product.geometry.out);
  const size_t scratch = step.scratch_bytes();
  auto bound = make_bound(std::move(y), [step = std::move(step)](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = scratch;
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_matmul_integer(const PrepareContext& /*context*/) { return make_prepared(bind_matmul_integer); }
std::unique_ptr<Prepared> prepare_qlinear_matmul(const PrepareContext& /*context*/) { return make_prepared(bind_qlinear_matmul); }

}  // namespace sardonyx::ops
