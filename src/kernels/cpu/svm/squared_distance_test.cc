#include "kernels/cpu/svm/squared_distance.h"

#include <gtest/gtest.h>

#include <random>

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

void check(size_t rows, size_t vectors, size_t features) {
  std::mt19937 generator(7);
  std::normal_distribution<float> normal;
  Guarded<float> x(rows * features), v(vectors * features), packed(packed_vector_floats(vectors, features)), y(rows * vectors);
  // Far from the origin, where a product of norms would lose the differences.
  for (size_t i = 0; i < x.size(); ++i) x[i] = 1000 + normal(generator);
  for (size_t i = 0; i < v.size(); ++i) v[i] = 1000 + normal(generator);
  pack_vectors(vectors, features, v.data(), packed.data());
  squared_distances(rows, vectors, features, x.data(), packed.data(), y.data());
  for (size_t i = 0; i < y.size(); ++i) {
    double expected = 0;
    for (size_t k = 0; k < features; ++k) {
      const double apart = static_cast<double>(x[i / vectors * features + k]) - static_cast<double>(v[i % vectors * features + k]);
      expected += apart * apart;
    }
    EXPECT_NEAR(static_cast<double>(y[i]), expected, 1e-5 * expected) << rows << " rows, " << vectors << " vectors, " << features;
  }
}

TEST(SquaredDistance, AllSizes) {
  for_each_target([] {
    for (const size_t vectors : {1, 15, 16, 33}) {
      for (const size_t features : {1, 5, 40}) {
        for (const size_t rows : {1, 2, 5}) check(rows, vectors, features);
      }
    }
  });
}

}  // namespace
}  // namespace sardonyx::kernels
