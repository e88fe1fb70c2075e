#include "kernels/cpu/norm/moments.h"

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

template <class T>
void check_sums(size_t size) {
  Random random(static_cast<unsigned>(size));
  Guarded<T> x(size);
  double plain = 0, squares = 0;
  for (size_t i = 0; i < size; ++i) {
    x[i] = static_cast<T>(random.number()) + T{1000};
    const auto value = static_cast<double>(x[i]);
    plain += value;
    squares += (value - 999.5) * (value - 999.5);
  }
  EXPECT_NEAR(sum(x.data(), size), plain, 1e-12 * plain);
  EXPECT_NEAR(sum_square_apart(x.data(), size, 999.5), squares, 1e-12 * squares);
}

TEST(Moments, SumsOfEveryLength) {
  for (const size_t size : {0, 1, 15, 16, 17, 33, 1000}) {
    check_sums<float>(size);
    check_sums<double>(size);
  }
}

}  // namespace
}  // namespace sardonyx::kernels
