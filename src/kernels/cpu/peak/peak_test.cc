#include "sardonyx/peak.h"

#include <gtest/gtest.h>

#include "core/expect_error.h"

namespace sardonyx {
namespace {

TEST(MachinePeak, IsPlausible) {
  const MachinePeak peak = measure_peak(1, std::chrono::milliseconds(20));
  EXPECT_EQ(peak.threads, 1);
  EXPECT_GT(peak.flops, 1e8);
  EXPECT_LT(peak.flops, 1e13);  // of one core
  ASSERT_FALSE(peak.bandwidths.empty());
  for (size_t i = 0; i < peak.bandwidths.size(); ++i) {
    EXPECT_GT(peak.bandwidths[i].bytes_per_second, 1e7);
    if (i > 0) {
      EXPECT_GT(peak.bandwidths[i].bytes, peak.bandwidths[i - 1].bytes);
      EXPECT_LE(peak.bandwidths[i].bytes_per_second, peak.bandwidths[i - 1].bytes_per_second);
    }
  }
}

TEST(MachinePeak, TheRooflineIsTheHigherOfBothBounds) {
  const MachinePeak peak{.threads = 1, .flops = 100, .bandwidths = {{10, 50}, {1000, 10}}};
  EXPECT_EQ(peak.bandwidth(10), 50);
  EXPECT_EQ(peak.bandwidth(11), 10);
  EXPECT_EQ(peak.bandwidth(5000), 10);
  EXPECT_EQ(peak.least_seconds(200, 10), 2);
  EXPECT_EQ(peak.least_seconds(200, 100), 10);
  EXPECT_EQ(peak.least_seconds(0, 0), 0);
}

TEST(MachinePeak, RefusesNegativeThreads) {
  EXPECT_EQ(error_of([] { measure_peak(-1); }), "measure_peak: -1 threads; 0 means all");
}

}  // namespace
}  // namespace sardonyx
