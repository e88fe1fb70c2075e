#include "kernels/cpu/reduce/reduce.h"

#include <limits>

#include "kernels/cpu/reduce/softmax.h"
#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

double oracle(ReduceOp op, const std::vector<double>& values) {
  const double infinity = std::numeric_limits<double>::infinity();
  double result = op == ReduceOp::kProd ? 1 : op == ReduceOp::kMax ? -infinity : op == ReduceOp::kMin ? infinity : 0;
  for (const double v : values) {
    switch (op) {
      case ReduceOp::kSum:
      case ReduceOp::kMean:
        result += v;
        break;
      case ReduceOp::kMax:
        result = v > result || std::isnan(v) ? v : result;
        break;
      case ReduceOp::kMin:
        result = v < result || std::isnan(v) ? v : result;
        break;
      case ReduceOp::kProd:
        result *= v;
        break;
      case ReduceOp::kSumSquare:
        result += v * v;
        break;
      case ReduceOp::kSumAbs:
        result += std::abs(v);
        break;
    }
  }
  return op == ReduceOp::kMean ? result / static_cast<double>(values.size()) : result;
}

constexpr ReduceOp kAll[] = {ReduceOp::kSum,  ReduceOp::kMean,      ReduceOp::kMax,   ReduceOp::kMin,
                             ReduceOp::kProd, ReduceOp::kSumSquare, ReduceOp::kSumAbs};

void check_reduce(size_t outer, size_t axis, size_t inner, unsigned seed) {
  SCOPED_TRACE(std::to_string(outer) + " x " + std::to_string(axis) + " x " + std::to_string(inner) + ", seed " + std::to_string(seed));
  Random random(seed);
  Guarded<float> x(outer * axis * inner);
  random.fill(x);
  for (const ReduceOp op : kAll) {
    const std::vector<float> y = same_for_all_threads([&](core::ThreadPool& pool) {
      Guarded<float> result(outer * inner);
      reduce(op, outer, axis, inner, x.data(), result.data(), pool);
      return result.values();
    });
    for (size_t i = 0; i < y.size(); ++i) {
      std::vector<double> values;
      for (size_t k = 0; k < axis; ++k) values.push_back(static_cast<double>(x[(i / inner * axis + k) * inner + i % inner]));
      const double expected = oracle(op, values);
      ASSERT_TRUE(is_near(y[i], expected, 1e-5 + 2e-6 * std::abs(expected)))
          << static_cast<int>(op) << ": " << y[i] << ", expected " << expected;
    }
  }
}

TEST(Reduce, RandomShapes) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 50 && !testing::Test::HasFailure(); ++seed) {
      Random random(seed + 100);
      const size_t outer = random.from(1, 9), axis = random.from(1, 150), inner = random.coin() ? 1 : random.from(1, 40);
      check_reduce(outer, axis, inner, seed);
    }
    check_reduce(2, 3000, 3, 1);
    check_reduce(1, 5, 3000, 1);
    check_reduce(3, 0, 2, 1);
    check_reduce(3, 0, 1, 1);
  });
}

TEST(Reduce, NanWins) {
  for_each_target([] {
    for (const size_t inner : {1, 5}) {
      Guarded<float> x(40 * inner, 1.0f), y(inner);
      x[7 * inner] = std::nanf("");
      for (const ReduceOp op : {ReduceOp::kMax, ReduceOp::kMin}) {
        reduce(op, 1, 40, inner, x.data(), y.data(), one_thread());
        EXPECT_TRUE(std::isnan(y[0]));
        for (size_t i = 1; i < inner; ++i) EXPECT_EQ(y[i], 1.0f);
      }
    }
  });
}

void check_softmax(size_t rows, size_t size, float scale) {
  SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(size));
  Random random(1);
  Guarded<float> x(rows * size);
  random.fill(x);
  for (size_t i = 0; i < x.size(); ++i) x[i] *= scale;
  for (const bool log : {false, true}) {
    const std::vector<float> y = same_for_all_threads([&](core::ThreadPool& pool) {
      Guarded<float> result(rows * size);
      softmax(rows, size, log, x.data(), result.data(), pool);
      return result.values();
    });
    Guarded<float> in_place(rows * size);
    std::copy_n(x.data(), x.size(), in_place.data());
    softmax(rows, size, log, in_place.data(), in_place.data(), one_thread());
    EXPECT_EQ(in_place.values(), y);
    for (size_t row = 0; row < rows; ++row) {
      double greatest = -1e300, sum = 0;
      for (size_t i = 0; i < size; ++i) greatest = std::max(greatest, static_cast<double>(x[row * size + i]));
      for (size_t i = 0; i < size; ++i) sum += std::exp(static_cast<double>(x[row * size + i]) - greatest);
      for (size_t i = 0; i < size; ++i) {
        const double shifted = static_cast<double>(x[row * size + i]) - greatest;
        const double expected = log ? shifted - std::log(sum) : std::exp(shifted) / sum;
        ASSERT_TRUE(is_near(y[row * size + i], expected, 1e-38 + 2e-6 * std::abs(expected) + (log ? 2e-6 : 0)))
            << "log " << log << ", element " << i;
      }
    }
  }
}

TEST(Softmax, MatchesTheDefinition) {
  for_each_target([] {
    for (const size_t size : {1, 2, 15, 16, 17, 100, 1000}) check_softmax(5, size, 3.0f);
    check_softmax(3, 33, 1000.0f);  // e^x alone would overflow
  });
}

TEST(Softmax, InfinitiesAndNan) {
  for_each_target([] {
    const float infinity = std::numeric_limits<float>::infinity();
    Guarded<float> x(6), y(6);
    const float rows[] = {-infinity, 0.0f, 0.0f, -infinity, -infinity, -infinity};
    std::copy_n(rows, 6, x.data());
    softmax(2, 3, false, x.data(), y.data(), one_thread());
    EXPECT_EQ(y[0], 0.0f);
    EXPECT_EQ(y[1], 0.5f);
    for (size_t i = 3; i < 6; ++i) EXPECT_TRUE(std::isnan(y[i])) << "as e^(-inf + inf) is";
    x[1] = std::nanf("");
    softmax(1, 3, false, x.data(), y.data(), one_thread());
    for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(y[i]));
  });
}

}  // namespace
}  // namespace sardonyx::kernels
