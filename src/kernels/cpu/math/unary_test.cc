#include "kernels/cpu/math/unary.h"

#include <bit>
#include <limits>

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

// All floats of one in `step` bit patterns, both signs, with the edges of every exponent: NaN, infinities and denormals among them.
const std::vector<float>& dense_floats() {
  static const std::vector<float> floats = [] {
    std::vector<float> result;
    const auto add = [&](uint32_t bits) {
      result.push_back(std::bit_cast<float>(bits));
      result.push_back(std::bit_cast<float>(bits | 0x8000'0000u));
    };
    for (uint32_t bits = 0; bits < 0x7F80'0000u; bits += 9973) add(bits);
    for (uint32_t exponent = 0; exponent <= 255; ++exponent) {
      for (uint32_t i = 0; i < 4; ++i) {
        add((exponent << 23) + i);
        if (exponent > 0) add((exponent << 23) - 1 - i);
      }
    }
    for (uint32_t i = 0; i < 200'000; ++i) {  // where most functions do their work
      const float x = static_cast<float>(i) * 1e-3f;
      result.push_back(x);
      result.push_back(-x);
    }
    return result;
  }();
  return floats;
}

// Floats in order as integers.
int64_t rank_of(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits < 0 ? -static_cast<int64_t>(bits & 0x7FFF'FFFF) : bits;
}

bool is_within(const UnaryRow& row, float actual, double expected) {
  if (std::isnan(expected) || std::isnan(actual)) return std::isnan(expected) && std::isnan(actual);
  const double least = static_cast<double>(std::numeric_limits<float>::min());
  if (std::abs(expected) < least && std::abs(static_cast<double>(actual)) < least) return true;
  const auto rounded = static_cast<float>(expected);
  if (std::abs(rank_of(actual) - rank_of(rounded)) <= static_cast<int64_t>(row.max_ulp)) return true;
  return std::abs(static_cast<double>(actual) - expected) <= row.slack;
}

// Denormals may count as 0, as operands and as results.
bool is_promised(const UnaryRow& row, const UnaryParams& params, float x, float actual) {
  if (is_within(row, actual, row.oracle(static_cast<double>(x), params))) return true;
  return std::fpclassify(x) == FP_SUBNORMAL && is_within(row, actual, row.oracle(std::copysign(0.0, static_cast<double>(x)), params));
}

class UnaryTest : public testing::TestWithParam<UnaryRow> {};

TEST_P(UnaryTest, KeepsItsPromiseOnEveryTarget) {
  const UnaryRow& row = GetParam();
  const UnaryParams params = {0.2f, 0.5f};
  const std::vector<float>& x = dense_floats();
  for_each_target([&] {
    std::vector<float> y(x.size());
    unary(row.op, params, x.data(), y.data(), x.size(), one_thread());
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_TRUE(is_promised(row, params, x[i], y[i]))
          << row.name << "(" << std::hexfloat << x[i] << ") = " << y[i] << ", expected " << row.oracle(static_cast<double>(x[i]), params)
          << ", off by " << rank_of(y[i]) - rank_of(static_cast<float>(row.oracle(static_cast<double>(x[i]), params))) << " ULP";
    }
  });
}

TEST_P(UnaryTest, TailsThreadsAndInPlace) {
  const UnaryRow& row = GetParam();
  const UnaryParams params = {0.2f, 0.5f};
  for_each_target([&] {
    for (const size_t size : {0, 1, 3, 15, 16, 17, 33, 70'001}) {
      Random random(1);
      Guarded<float> x(size);
      random.fill(x);
      const std::vector<float> apart = same_for_all_threads([&](core::ThreadPool& pool) {
        Guarded<float> y(size);
        unary(row.op, params, x.data(), y.data(), size, pool);
        return y.values();
      });
      unary(row.op, params, x.data(), x.data(), size, one_thread());
      const std::vector<float> in_place = x.values();
      EXPECT_EQ(size == 0 ? 0 : std::memcmp(in_place.data(), apart.data(), size * sizeof(float)), 0);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(All, UnaryTest, testing::ValuesIn(unary_rows().begin(), unary_rows().end()),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(Unary, RowsAreInTheOrderOfTheEnumeration) {
  for (size_t i = 0; i < unary_rows().size(); ++i) EXPECT_EQ(static_cast<size_t>(unary_rows()[i].op), i);
}

}  // namespace
}  // namespace sardonyx::kernels
