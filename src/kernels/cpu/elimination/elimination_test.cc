#include "kernels/cpu/elimination/elimination.h"

#include <vector>

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

// A X = B for matrices of all small sizes, rows exchanged so that pivots must be looked for.
TEST(Elimination, SolvesWhatItBroughtIntoForm) {
  Random random(3);
  for (size_t n = 1; n <= 9; ++n) {
    const size_t columns = n % 3 + 1;
    std::vector<double> a(n * n), x(n * columns), b(n * columns);
    for (double& value : a) value = static_cast<double>(random.number());
    for (size_t i = 0; i < n; ++i) a[i * n + (n - 1 - i)] += 4;
    for (double& value : x) value = static_cast<double>(random.number());
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < columns; ++j) {
        for (size_t k = 0; k < n; ++k) b[i * columns + j] += a[i * n + k] * x[k * columns + j];
      }
    }
    ASSERT_NE(eliminate(a.data(), n, b.data(), columns), 0);
    substitute_back(a.data(), n, b.data(), columns);
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(b[i], x[i], 1e-12) << n;
  }
}

TEST(Elimination, TellsTheSignAndSingularMatrices) {
  std::vector<double> swapped = {0, 2, 3, 0}, singular = {1, 2, 2, 4};
  EXPECT_EQ(eliminate(swapped.data(), 2, nullptr, 0), -1);
  EXPECT_EQ(swapped[0] * swapped[3], 6);
  EXPECT_EQ(eliminate(singular.data(), 2, nullptr, 0), 0);
  EXPECT_EQ(eliminate(nullptr, 0, nullptr, 0), 1);
}

}  // namespace
}  // namespace sardonyx::kernels
