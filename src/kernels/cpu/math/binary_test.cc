#include "kernels/cpu/math/binary.h"

#include <limits>

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

using Shape = std::vector<int64_t>;

size_t elements(const Shape& shape) {
  size_t result = 1;
  for (const int64_t extent : shape) result *= static_cast<size_t>(extent);
  return result;
}

Shape broadcast(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape result(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t l = i + a.size() < rank ? 1 : a[i + a.size() - rank];
    const int64_t r = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    result[i] = l == 1 ? r : l;
  }
  return result;
}

// Where element `flat` of `result` finds its operand.
size_t operand_index(const Shape& result, const Shape& operand, size_t flat) {
  size_t index = 0, stride = 1;
  for (size_t i = 0; i < operand.size(); ++i) {
    const auto extent = static_cast<size_t>(result[result.size() - 1 - i]);
    const auto own = static_cast<size_t>(operand[operand.size() - 1 - i]);
    index += (own == 1 ? 0 : flat % extent) * stride;
    stride *= own;
    flat /= extent;
  }
  return index;
}

double oracle(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return a + b;
    case BinaryOp::kSub:
      return a - b;
    case BinaryOp::kMul:
      return a * b;
    case BinaryOp::kDiv:
      return a / b;
    case BinaryOp::kMin:
      return std::isnan(a) || b > a ? a : b;
    case BinaryOp::kMax:
      return std::isnan(a) || b < a ? a : b;
    case BinaryOp::kPow:
      return std::pow(a, b);
  }
  return 0;
}

constexpr BinaryOp kAll[] = {BinaryOp::kAdd, BinaryOp::kSub, BinaryOp::kMul, BinaryOp::kDiv,
                             BinaryOp::kMin, BinaryOp::kMax, BinaryOp::kPow};

template <class T, class Fill, class Check>
void check_broadcast(const Shape& a_shape, const Shape& b_shape, const Fill& fill, const Check& check) {
  const Shape shape = broadcast(a_shape, b_shape);
  BroadcastShape collapsed;
  ASSERT_TRUE(collapse_broadcast(a_shape, b_shape, collapsed));
  Guarded<T> a(elements(a_shape)), b(elements(b_shape));
  for (size_t i = 0; i < a.size(); ++i) a[i] = fill();
  for (size_t i = 0; i < b.size(); ++i) b[i] = fill();
  for (const BinaryOp op : kAll) {
    SCOPED_TRACE("op " + std::to_string(static_cast<int>(op)));
    const std::vector<T> y = same_for_all_threads([&](core::ThreadPool& pool) {
      Guarded<T> result(elements(shape));
      binary(op, collapsed, a.data(), b.data(), result.data(), pool);
      return result.values();
    });
    for (size_t i = 0; i < y.size(); ++i) check(op, a[operand_index(shape, a_shape, i)], b[operand_index(shape, b_shape, i)], y[i]);
    if (testing::Test::HasFailure()) return;
  }
}

// Shapes that broadcast against each other.
std::pair<Shape, Shape> random_shapes(Random& random) {
  Shape a, b;
  for (size_t i = random.from(0, 5); i > 0; --i) {
    const auto extent = static_cast<int64_t>(random.from(0, 9) == 0 ? 40 : random.from(1, 4));
    a.push_back(random.from(0, 2) == 0 ? 1 : extent);
    b.push_back(random.from(0, 2) == 0 ? 1 : extent);
  }
  Shape& shorter = random.coin() ? a : b;
  shorter.erase(shorter.begin(), shorter.begin() + static_cast<ptrdiff_t>(random.from(0, shorter.size())));
  return {a, b};
}

void check_float(BinaryOp op, float a, float b, float y) {
  const double expected = oracle(op, static_cast<double>(a), static_cast<double>(b));
  const double tolerance = op == BinaryOp::kPow ? 1e-6 * std::abs(expected) : 0;
  EXPECT_TRUE(is_near(y, tolerance == 0 ? static_cast<double>(static_cast<float>(expected)) : expected, tolerance))
      << a << " and " << b << " give " << y;
}

TEST(Binary, FloatBroadcasts) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 80 && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      const auto [a, b] = random_shapes(random);
      check_broadcast<float>(
          a, b, [&] { return random.number() * 3; }, check_float);
    }
  });
}

TEST(Binary, LongRunsAreCut) {
  for_each_target([] {
    Random random(1);
    check_broadcast<float>(
        {2, 40'001}, {2, 1}, [&] { return random.number(); }, check_float);
    check_broadcast<float>(
        {1}, {50'001}, [&] { return random.number(); }, check_float);
  });
}

TEST(Binary, SpecialFloats) {
  for_each_target([] {
    const float infinity = std::numeric_limits<float>::infinity();
    const float values[] = {0.0f, -0.0f, 1.0f, -1.0f, 2.0f, 0.5f, infinity, -infinity, std::nanf(""), 1e37f};
    size_t next = 0;
    const auto fill = [&] { return values[next++ % std::size(values)]; };
    check_broadcast<float>({10, 1}, {1, 10}, fill, [](BinaryOp op, float a, float b, float y) {
      const auto expected = static_cast<float>(oracle(op, static_cast<double>(a), static_cast<double>(b)));
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(y)) << static_cast<int>(op) << " of " << a << " and " << b;
      } else {
        EXPECT_FLOAT_EQ(y, expected) << static_cast<int>(op) << " of " << a << " and " << b;
      }
    });
  });
}

TEST(Binary, PowOfTwoIsASquare) {
  BroadcastShape shape;
  ASSERT_TRUE(collapse_broadcast(Shape{3}, Shape{}, shape));
  const float a[] = {-3.0f, 0.5f, 1e20f}, two = 2.0f;
  float y[3];
  binary(BinaryOp::kPow, shape, a, &two, y, one_thread());
  EXPECT_EQ(y[0], 9.0f);
  EXPECT_EQ(y[1], 0.25f);
  EXPECT_EQ(y[2], std::numeric_limits<float>::infinity());
}

template <class T>
void check_integers() {
  for (unsigned seed = 0; seed < 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto [a, b] = random_shapes(random);
    check_broadcast<T>(
        a, b, [&] { return static_cast<T>(random.from(0, 12)) - T{6}; },
        [](BinaryOp op, T l, T r, T y) {
          const bool has_no_quotient = r == 0 ? op == BinaryOp::kDiv : op == BinaryOp::kPow && l == 0 && r < 0;
          const double expected = has_no_quotient ? 0 : std::trunc(oracle(op, static_cast<double>(l), static_cast<double>(r)));
          EXPECT_EQ(y, static_cast<T>(expected)) << l << " and " << r;
        });
  }
  const T least = std::numeric_limits<T>::min(), minus_one = -1;
  T y = 0;
  binary(BinaryOp::kDiv, BroadcastShape(), &least, &minus_one, &y, one_thread());
  EXPECT_EQ(y, least);
  binary(BinaryOp::kAdd, BroadcastShape(), &least, &minus_one, &y, one_thread());
  EXPECT_EQ(y, std::numeric_limits<T>::max());
}

TEST(Binary, Int32) { check_integers<int32_t>(); }
TEST(Binary, Int64) { check_integers<int64_t>(); }

TEST(CollapseBroadcast, MergesNeighboursThatMoveTogether) {
  BroadcastShape shape;
  ASSERT_TRUE(collapse_broadcast(Shape{8, 3, 4, 5}, Shape{1, 3, 1, 1}, shape));
  ASSERT_EQ(shape.rank, 3);
  EXPECT_EQ(shape.extent[2], 20u);
  EXPECT_EQ(shape.b_stride[2], 0);
  ASSERT_TRUE(collapse_broadcast(Shape{2, 3, 4}, Shape{2, 3, 4}, shape));
  EXPECT_EQ(shape.rank, 1);
  ASSERT_TRUE(collapse_broadcast(Shape{}, Shape{1, 1}, shape));
  EXPECT_EQ(shape.rank, 0);
}

TEST(CollapseBroadcast, RefusesWhatDoesNotFit) {
  BroadcastShape shape;
  EXPECT_FALSE(collapse_broadcast(Shape{2}, Shape{3}, shape));
  EXPECT_FALSE(collapse_broadcast(Shape{-1}, Shape{1}, shape));
  Shape zigzag_a, zigzag_b;
  for (int i = 0; i < kMaxBroadcastRank + 1; ++i) {
    zigzag_a.push_back(i % 2 == 0 ? 1 : 2);
    zigzag_b.push_back(i % 2 == 0 ? 2 : 1);
  }
  EXPECT_FALSE(collapse_broadcast(zigzag_a, zigzag_b, shape));
}

TEST(CollapseBroadcast, EmptyShapesTouchNothing) {
  BroadcastShape shape;
  ASSERT_TRUE(collapse_broadcast(Shape{2, 0}, Shape{1}, shape));
  float y = 5.0f;
  binary(BinaryOp::kPow, shape, static_cast<const float*>(nullptr), nullptr, &y, one_thread());
  EXPECT_EQ(y, 5.0f);
}

}  // namespace
}  // namespace sardonyx::kernels
