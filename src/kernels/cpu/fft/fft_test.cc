#include "kernels/cpu/fft/fft.h"

#include <gtest/gtest.h>

#include <numbers>
#include <random>

namespace sardonyx::kernels {
namespace {

TEST(Fft, AgreesWithTheDefinition) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  for (const size_t size : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 12u, 31u, 64u, 100u, 127u}) {
    for (const bool inverse : {false, true}) {
      std::vector<std::complex<double>> x(size);
      for (auto& value : x) value = {normal(generator), normal(generator)};
      std::vector<std::complex<double>> y = x;
      const Fft fft(size, inverse);
      std::vector<std::complex<double>> scratch(fft.scratch_values());
      fft.transform(y.data(), scratch.data());
      for (size_t k = 0; k < size; ++k) {
        std::complex<double> sum = 0;
        for (size_t n = 0; n < size; ++n) {
          const double angle = 2 * std::numbers::pi * static_cast<double>(k * n % size) / static_cast<double>(size);
          sum += x[n] * std::polar(1.0, inverse ? angle : -angle);
        }
        EXPECT_NEAR(std::abs(y[k] - sum), 0, 1e-11 * static_cast<double>(size)) << "size " << size << ", element " << k;
      }
    }
  }
}

}  // namespace
}  // namespace sardonyx::kernels
