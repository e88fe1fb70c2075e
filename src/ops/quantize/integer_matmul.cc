// MatMulInteger and QLinearMatMul.
#include "core/arena.h"
#include "ops/cast/cast.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/quantize/centered.h"
#include "ops/quantize/integer_product.h"
#include "ops/quantize/quantize.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

std::unique_ptr<Bound> bind_matmul_integer(const BindContext& b, const ConstantOperand& constant) {
  const IntegerProduct product = bind_integer_product(b, {0, 2, 1, 3}, constant);
  ValueFacts y = output(DType::kInt32, matmul_geometry(b.inputs[0].shape, b.inputs[1].shape).out);
  auto bound = make_bound(std::move(y), [product](const RunContext& r) {
    auto* to = output_data<int32_t>(r, 0);
    product.run(source_of(r, 0, 2), source_of(r, 1, 3), r.scratch, r.pool,
                [&](size_t row, size_t column, size_t columns, const int32_t* sums) {
                  std::copy_n(sums, columns, to + row * product.shape().n + column);
                });
  });
  bound->scratch_bytes = product.scratch_bytes(b.threads);
  return bound;
}

// The scales and zero points of QLinearMatMul: a and y by rows, b by columns, as vectors or as any shape that broadcasts to the result.
struct Scales {
  explicit Scales(const BindContext& context, const Shape& out)
      : a(context.inputs[1].shape, out, true, "a_scale"),
        b(context.inputs[4].shape, out, false, "b_scale"),
        y(context.inputs[6].shape, out, true, "y_scale"),
        zero(context.inputs[7].shape, out, true, "y_zero_point") {}
  PerLine a, b, y, zero;
};

// The same in memory, loaded once in each run.
struct LoadedScales {
  const float *a, *b, *y;
  const int32_t* zero;
};

class QLinearMatMul {
 public:
  QLinearMatMul(const BindContext& b, IntegerProduct product, const Shape& out)
      : product_(std::move(product)), scales_(b, out), to_(b.inputs[7].dtype), product_bytes_(product_.scratch_bytes(b.threads)) {
    for (const size_t i : {1, 4, 6, 7}) loaded_bytes_ += core::align_up(to_size(element_count(b.inputs[i].shape)) * sizeof(float));
  }
  size_t scratch_bytes() const noexcept { return product_bytes_ + loaded_bytes_; }

  void run(const RunContext& r) const {
    const LoadedScales loaded = load(r);
    product_.run(source_of(r, 0, 2), source_of(r, 3, 5), r.scratch, r.pool,
                 [&](size_t row, size_t column, size_t columns, const int32_t* sums) { store(r, loaded, row, column, columns, sums); });
  }

 private:
  template <class T>
  const T* load_values(const RunContext& r, size_t input, std::byte*& at) const {
    const Tensor& from = r.inputs[input];
    const size_t count = to_size(from.numel());
    auto* to = reinterpret_cast<T*>(at);
    for (size_t i = 0; i < count; ++i) {
      double value = 0;
      load_elements(from.dtype(), from.raw(), i, 1, &value);
      to[i] = static_cast<T>(value);
    }
    at += core::align_up(count * sizeof(T));
    return to;
  }
  LoadedScales load(const RunContext& r) const {
    std::byte* at = r.scratch + product_bytes_;
    const auto *a = load_values<float>(r, 1, at), *b = load_values<float>(r, 4, at), *y = load_values<float>(r, 6, at);
    return {a, b, y, load_values<int32_t>(r, 7, at)};
  }

  void store(const RunContext& r, const LoadedScales& loaded, size_t row, size_t column, size_t columns, const int32_t* sums) const {
    float scale[kernels::kIntegerColumns];
    const float *a = loaded.a + scales_.a.at(row, column), *b = loaded.b + scales_.b.at(row, column),
                *y = loaded.y + scales_.y.at(row, column);
    const size_t a_step = scales_.a.column_step(), b_step = scales_.b.column_step(), y_step = scales_.y.column_step();
    const bool varies = a_step + b_step + y_step != 0;
    for (size_t i = 0; i < (varies ? columns : 1); ++i) scale[i] = a[i * a_step] * b[i * b_step] / y[i * y_step];
    const kernels::Requantizer requantizer = {.scale = scale,
                                              .scale_step = varies ? size_t{1} : 0,
                                              .zero = loaded.zero + scales_.zero.at(row, column),
                                              .zero_step = scales_.zero.column_step()};
    const size_t at = row * product_columns() + column;
    with_byte(to_, [&]<class T>() { kernels::requantize(requantizer, sums, columns, output_data<T>(r, 0) + at); });
  }
  size_t product_columns() const noexcept { return product_.shape().n; }

  IntegerProduct product_;
  Scales scales_;
  DType to_;
  size_t product_bytes_, loaded_bytes_ = 0;
};

// Where float8 is among the types: the product of doubles.
struct DoubleMatMul {
  MatMulGeometry geometry;
  StridedView a_batch, b_batch;
  PerLine a_zero, b_zero;
  Scales scales;
  size_t a_count, b_count;
  DType to;

  size_t a_bytes() const noexcept { return core::align_up(a_count * sizeof(double)); }
  size_t sums_at() const noexcept { return a_bytes() + core::align_up(b_count * sizeof(double)); }

  void run(const RunContext& r) const {
    if (r.outputs[0].numel() == 0) return;
    auto *left = reinterpret_cast<double*>(r.scratch), *right = reinterpret_cast<double*>(r.scratch + a_bytes());
    auto* sums = reinterpret_cast<double*>(r.scratch + sums_at());
    const kernels::GemmShape& s = geometry.product;
    widen(r, 0, a_count, s.k, a_zero, left);
    widen(r, 3, b_count, s.n, b_zero, right);
    for (size_t i = 0; i < to_size(element_count(geometry.batch)); ++i) {
      plain_product(DType::kFloat64)(s, {left + static_cast<size_t>(a_batch.offset(i)) * s.m * s.k, static_cast<ptrdiff_t>(s.k), 1},
                                     {right + static_cast<size_t>(b_batch.offset(i)) * s.k * s.n, static_cast<ptrdiff_t>(s.n), 1},
                                     sums + i * s.m * s.n, r.pool);
    }
    store_rows(r, sums);
  }

 private:
  static double value(const RunContext& r, size_t input, const PerLine& line, size_t row, size_t column) noexcept {
    double result = 0;
    load_elements(r.inputs[input].dtype(), r.inputs[input].raw(), line.at(row, column), 1, &result);
    return result;
  }

  // Input minus the zero point that stands two inputs behind it.
  static void widen(const RunContext& r, size_t input, size_t count, size_t columns, const PerLine& zero, double* to) {
    load_elements(r.inputs[input].dtype(), r.inputs[input].raw(), 0, count, to);
    for (size_t i = 0; i < count; ++i) to[i] -= value(r, input + 2, zero, i / columns, i % columns);
  }

  void store_rows(const RunContext& r, const double* sums) const {
    const size_t columns = geometry.product.n;
    void* target = r.outputs[0].mutable_raw();
    r.pool.for_each(to_size(r.outputs[0].numel()) / columns, [&](size_t row) {
      for (size_t j = 0; j < columns; ++j) {
        const auto scale = static_cast<float>(value(r, 1, scales.a, row, j)) * static_cast<float>(value(r, 4, scales.b, row, j)) /
                           static_cast<float>(value(r, 6, scales.y, row, j));
        const double quotient = sums[row * columns + j] * static_cast<double>(scale);
        const double zero = value(r, 7, scales.zero, row, j);
        const double result = kBytes.has(to) ? quantized(quotient, zero, quant_range(to)) : quotient + zero;
        store_elements(CastSpec{.to = to}, to, &result, row * columns + j, 1, target);
      }
    });
  }
};

std::unique_ptr<Bound> bind_doubles(const BindContext& b, const MatMulGeometry& g, const Shape& out) {
  const kernels::GemmShape& s = g.product;
  const DoubleMatMul step = {
      .geometry = g,
      .a_batch = broadcast_view(g.a_batch, g.batch),
      .b_batch = broadcast_view(g.b_batch, g.batch),
      .a_zero = PerLine(b.inputs[2].shape, with_matrix(g.a_batch, s.m, s.k), true, "a_zero_point"),
      .b_zero = PerLine(b.inputs[5].shape, with_matrix(g.b_batch, s.k, s.n), false, "b_zero_point"),
      .scales = Scales(b, out),
      .a_count = to_size(element_count(b.inputs[0].shape)),
      .b_count = to_size(element_count(b.inputs[3].shape)),
      .to = b.inputs[7].dtype,
  };
  auto bound = make_bound(output(step.to, g.out), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = step.sums_at() + to_size(element_count(out)) * sizeof(double);
  bound->kernel = "doubles";
  bound->refusals.emplace_back("integer_gemm: the elements are no bytes");
  return bound;
}

void check_types(const BindContext& b) {
  constexpr std::array<std::string_view, 8> kNames = {"a",       "a_scale",      "a_zero_point", "b",
                                                      "b_scale", "b_zero_point", "y_scale",      "y_zero_point"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    const bool is_scale = i == 1 || i == 4 || i == 6;
    constexpr DTypeSet kScales = {DType::kFloat32, DType::kFloat16, DType::kBFloat16};
    require_dtype(required(b, i, kNames[i]), is_scale ? kScales : kBytes | kFloat8Kinds, kNames[i]);
  }
  require_same_dtype(b.inputs[0], b.inputs[2], kNames[0], kNames[2]);
  require_same_dtype(b.inputs[3], b.inputs[5], kNames[3], kNames[5]);
}

bool in_bytes(const BindContext& b) {
  return kBytes.has(b.inputs[0].dtype) && kBytes.has(b.inputs[3].dtype) && kBytes.has(b.inputs[7].dtype);
}

std::unique_ptr<Bound> bind_qlinear_matmul(const BindContext& b, const ConstantOperand& constant) {
  check_types(b);
  const MatMulGeometry g = matmul_geometry(b.inputs[0].shape, b.inputs[3].shape);
  const Shape out = with_matrix(g.batch, g.product.m, g.product.n);
  if (!in_bytes(b)) return bind_doubles(b, g, out);
  ValueFacts y = output(b.inputs[7].dtype, g.out);
  const QLinearMatMul step(b, bind_integer_product(b, {0, 2, 3, 5}, constant), out);
  auto bound = make_bound(std::move(y), [step](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = step.scratch_bytes();
  bound->kernel = "integer_gemm";
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_matmul_integer(const PrepareContext& context) {
  return prepare_integer_product(context, 1, 3, bind_matmul_integer);
}
std::unique_ptr<Prepared> prepare_qlinear_matmul(const PrepareContext& context) {
  // Products of float8 read b at run time.
  const auto bytes = [&](size_t i) {
    return i >= context.constants.size() || !context.constants[i] || kBytes.has(context.constants[i]->dtype());
  };
  const bool may_pack = bytes(3) && context.constants.size() > 7 && context.constants[7] && kBytes.has(context.constants[7]->dtype());
  if (!may_pack) return make_prepared([](const BindContext& b) { return bind_qlinear_matmul(b, {}); });
  return prepare_integer_product(context, 3, 5, bind_qlinear_matmul);
}

}  // namespace sardonyx::ops
