#include "kernels/cpu/random/philox.h"

#include <gtest/gtest.h>

namespace sardonyx::kernels {
namespace {

// Known answers of the paper's reference implementation.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox(0, 0), (PhiloxBlock{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  const uint64_t all = ~uint64_t{0};
  EXPECT_EQ(philox(all, all, all), (PhiloxBlock{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
}

TEST(Philox, MomentsOfTheDistributions) {
  constexpr uint64_t kBlocks = 100'000;
  double uniform = 0, uniform_square = 0, normal = 0, normal_square = 0;
  for (uint64_t i = 0; i < kBlocks; ++i) {
    for (const double u : uniform_pair(philox(7, i))) {
      ASSERT_TRUE(u >= 0 && u < 1);
      uniform += u, uniform_square += u * u;
    }
    for (const double z : normal_pair(philox(7, i, 1))) normal += z, normal_square += z * z;
  }
  const double count = 2.0 * kBlocks;
  EXPECT_NEAR(uniform / count, 0.5, 0.004);
  EXPECT_NEAR(uniform_square / count, 1.0 / 3, 0.004);
  EXPECT_NEAR(normal / count, 0, 0.012);
  EXPECT_NEAR(normal_square / count, 1, 0.016);
}

}  // namespace
}  // namespace sardonyx::kernels
