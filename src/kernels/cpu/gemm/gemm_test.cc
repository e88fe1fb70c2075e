#include "kernels/cpu/gemm/gemm.h"

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

// A matrix with random layout: rows or columns contiguous, or neither.
struct Operand {
  Operand(Random& random, size_t rows_, size_t columns_) : rows(rows_), columns(columns_), kind(random.from(0, 2)), data(span()) {
    random.fill(data);
  }
  size_t row_stride() const { return kind == 0 ? columns + 3 : kind == 1 ? 1 : 2 * columns; }
  size_t column_stride() const { return kind == 0 ? 1 : kind == 1 ? rows + 1 : 2; }
  size_t span() const { return rows * columns == 0 ? 0 : (rows - 1) * row_stride() + (columns - 1) * column_stride() + 1; }
  Matrix view() const { return Matrix::view(data.data(), static_cast<ptrdiff_t>(row_stride()), static_cast<ptrdiff_t>(column_stride())); }
  double at(size_t r, size_t c) const { return static_cast<double>(data[r * row_stride() + c * column_stride()]); }
  static void make(const void* operand, size_t k, size_t depth, size_t column, size_t count, float* to, size_t to_stride) noexcept {
    for (size_t i = 0; i < depth; ++i) {
      for (size_t j = 0; j < count; ++j) {
        to[i * to_stride + j] = static_cast<float>(static_cast<const Operand*>(operand)->at(k + i, column + j));
      }
    }
  }

  size_t rows, columns, kind;
  Guarded<float> data;
};

struct Case {
  Case(unsigned seed, size_t m, size_t n, size_t k)
      : random(seed), shape{m, n, k}, a(random, m, k), b(random, k, n), row_bias(m), column_bias(n), addend(m * n) {
    random.fill(row_bias);
    random.fill(column_bias);
    random.fill(addend);
    if (random.coin()) epilogue.row_bias = row_bias.data();
    if (random.coin()) epilogue.column_bias = column_bias.data();
    if (random.coin()) choose_addend();
    if (random.coin()) epilogue.activation = random.coin() ? Activation::relu() : Activation::clip(-0.5f, 0.75f);
    if (random.coin()) epilogue.alpha = 1.75f;
    a_is_packed = random.coin();
    b_is_packed = random.coin();
    b_is_made = random.coin();
    c_row_stride = n + random.from(0, 2);
  }

  void choose_addend() {
    const size_t kind = random.from(0, 3);
    epilogue.addend = addend.data();
    epilogue.beta = -0.625f;
    epilogue.addend_row_stride = kind == 0 ? static_cast<ptrdiff_t>(shape.n) : kind == 1 ? 1 : 0;
    epilogue.addend_column_stride = kind == 0 ? 1 : kind == 1 ? static_cast<ptrdiff_t>(shape.m) : kind == 2 ? 1 : 0;
  }

  // All of C, the gaps between rows included.
  std::vector<float> run(core::ThreadPool& pool) const {
    Guarded<float> packed_a(packed_a_floats(shape.m, shape.k)), packed_b(packed_b_floats(shape.k, shape.n));
    pack_a(shape.m, shape.k, a.view(), packed_a.data());
    pack_b(shape.k, shape.n, b.view(), packed_b.data(), &pool);
    Guarded<std::byte> scratch(gemm_scratch_bytes(shape, a_is_packed, b_is_packed, pool.threads()));
    Guarded<float> c((shape.m - 1) * c_row_stride + shape.n, kGap);
    const ColumnSource source = {&Operand::make, &b};
    const Matrix right = b_is_packed ? Matrix::packed(packed_b.data()) : b_is_made ? Matrix::made(&source) : b.view();
    gemm(shape, a_is_packed ? Matrix::packed(packed_a.data()) : a.view(), right, epilogue, c.data(), static_cast<ptrdiff_t>(c_row_stride),
         scratch.data(), pool);
    return c.values();
  }

  double expected(size_t r, size_t c, double& magnitude) const {
    double sum = 0;
    magnitude = 2;
    for (size_t k = 0; k < shape.k; ++k) {
      sum += a.at(r, k) * b.at(k, c);
      magnitude += std::abs(a.at(r, k) * b.at(k, c));
    }
    sum *= static_cast<double>(epilogue.alpha);
    if (epilogue.row_bias) sum += static_cast<double>(epilogue.row_bias[r]);
    if (epilogue.column_bias) sum += static_cast<double>(epilogue.column_bias[c]);
    if (epilogue.addend) {
      const ptrdiff_t at =
          static_cast<ptrdiff_t>(r) * epilogue.addend_row_stride + static_cast<ptrdiff_t>(c) * epilogue.addend_column_stride;
      sum += static_cast<double>(epilogue.beta) * static_cast<double>(epilogue.addend[at]);
    }
    return std::min(std::max(sum, static_cast<double>(epilogue.activation.lower)), static_cast<double>(epilogue.activation.upper));
  }

  void check() {
    const std::vector<float> c = same_for_all_threads([&](core::ThreadPool& pool) { return run(pool); });
    for (size_t i = 0; i < c.size(); ++i) {
      const size_t row = i / c_row_stride, column = i % c_row_stride;
      if (column >= shape.n) {
        ASSERT_EQ(c[i], kGap) << "gap of row " << row;
        continue;
      }
      double magnitude = 0;
      const double value = expected(row, column, magnitude);
      ASSERT_NEAR(static_cast<double>(c[i]), value, 2e-6 * magnitude) << "row " << row << " column " << column;
    }
  }

  static constexpr float kGap = 12345.0f;
  Random random;
  GemmShape shape;
  Operand a, b;
  Guarded<float> row_bias, column_bias, addend;
  Epilogue epilogue;
  bool a_is_packed, b_is_packed, b_is_made;
  size_t c_row_stride;
};

void check(unsigned seed, size_t m, size_t n, size_t k) {
  SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k));
  Case(seed, m, n, k).check();
}

TEST(Gemm, SmallShapesOfEveryKind) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 60 && !testing::Test::HasFailure(); ++seed) {
      Random random(seed + 1000);
      const size_t m = random.from(1, 40), n = random.from(1, 70), k = random.from(0, 50);
      check(seed, m, n, k);
    }
  });
}

TEST(Gemm, OneRowOrColumn) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 40 && !testing::Test::HasFailure(); ++seed) {
      Random random(seed + 2000);
      const size_t n = random.from(1, 300), k = random.from(1, 300);
      check(seed, 1, n, k);
      check(seed, n, 1, k);
    }
  });
}

TEST(Gemm, MoreThanOneBlockInEachDirection) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 4; ++seed) check(seed, 301, 530, 520);
  });
}

TEST(Gemm, NoColumnsOrRows) {
  float c = 7.0f;
  gemm({0, 5, 3}, Matrix(), Matrix(), Epilogue(), &c, 5, nullptr, one_thread());
  gemm({5, 0, 3}, Matrix(), Matrix(), Epilogue(), &c, 0, nullptr, one_thread());
  EXPECT_EQ(c, 7.0f);
}

TEST(Gemm, AddsToItself) {
  const GemmShape shape = {20, 40, 600};
  Random random(1);
  Guarded<float> a(shape.m * shape.k), b(shape.k * shape.n), before(shape.m * shape.n);
  random.fill(a);
  random.fill(b);
  random.fill(before);
  const auto run = [&](const float* addend, Guarded<float>& c) {
    Epilogue epilogue;
    epilogue.addend = addend;
    epilogue.addend_row_stride = 40;
    epilogue.addend_column_stride = 1;
    Guarded<std::byte> scratch(gemm_scratch_bytes(shape, false, false, 1));
    gemm(shape, Matrix::view(a.data(), 600), Matrix::view(b.data(), 40), epilogue, c.data(), 40, scratch.data(), one_thread());
  };
  Guarded<float> apart(shape.m * shape.n), in_place(shape.m * shape.n);
  run(before.data(), apart);
  std::copy_n(before.data(), before.size(), in_place.data());
  run(in_place.data(), in_place);
  EXPECT_EQ(in_place.values(), apart.values());
}

TEST(Gemm, NanPassesTheActivation) {
  for_each_target([] {
    const float a[] = {std::nanf(""), 1.0f};
    const float b[] = {1.0f, 2.0f, 3.0f};
    Epilogue epilogue;
    epilogue.activation = Activation::clip(0.0f, 1.0f);
    Guarded<float> c(6);
    Guarded<std::byte> scratch(gemm_scratch_bytes({2, 3, 1}, false, false, 1));
    gemm({2, 3, 1}, Matrix::view(a, 1), Matrix::view(b, 3), epilogue, c.data(), 3, scratch.data(), one_thread());
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(std::isnan(c[i]));
      EXPECT_EQ(c[3 + i], 1.0f);
    }
  });
}

// Weights of a file lie at any address.
TEST(Gemm, PacksWhatIsNotAligned) {
  Random random(7);
  for (int round = 0; round < 20; ++round) {
    const size_t k = random.from(1, 400), n = random.from(1, 70);
    const Operand b(random, k, n);
    std::vector<std::byte> bytes(b.span() * sizeof(float) + 3);
    std::memcpy(bytes.data() + 3, b.data.data(), b.span() * sizeof(float));
    Matrix moved = b.view();
    moved.data = reinterpret_cast<const float*>(bytes.data() + 3);
    std::vector<float> expected(packed_b_floats(k, n)), packed(packed_b_floats(k, n)), a(packed_a_floats(k, n)), expected_a(a.size());
    pack_b(k, n, b.view(), expected.data());
    pack_b(k, n, moved, packed.data(), &core::shared_pool());
    EXPECT_EQ(packed, expected);
    pack_a(k, n, b.view(), expected_a.data());
    pack_a(k, n, moved, a.data());
    EXPECT_EQ(a, expected_a);
  }
}

}  // namespace
}  // namespace sardonyx::kernels
