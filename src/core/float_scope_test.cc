#include "core/float_scope.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <limits>
#include <stdexcept>
#include <thread>

#include "core/parallel.h"

namespace sardonyx::core {
namespace {

// What the product of the least normal float with a half gives: a denormal, or zero where they are flushed.
float tiny_product() {
  volatile float tiny = std::numeric_limits<float>::min();
  return tiny * 0.5F;
}

// A third, rounded as the thread rounds.
float third() {
  volatile float one = 1, three = 3;
  return one / three;
}

TEST(FloatScope, FlushesAndRestores) {
  {
    const FloatScope scope(true);
    EXPECT_TRUE(FloatScope::active());
    EXPECT_EQ(tiny_product(), 0.0F);
    {
      const FloatScope inner(false);
      EXPECT_GT(tiny_product(), 0.0F);
    }
    EXPECT_EQ(tiny_product(), 0.0F);
  }
  EXPECT_FALSE(FloatScope::active());
  EXPECT_GT(tiny_product(), 0.0F);
}

TEST(FloatScope, RoundsToNearestWhateverTheThreadDoes) {
  const float nearest = third();
  ASSERT_EQ(fesetround(FE_DOWNWARD), 0);
  const float below = third();
  float within = 0;
  {
    const FloatScope scope(true);
    within = third();
  }
  const float after = third();
  const int rounding = fegetround();
  fesetround(FE_TONEAREST);
  EXPECT_LT(below, nearest);
  EXPECT_EQ(within, nearest);
  EXPECT_EQ(after, below);
  EXPECT_EQ(rounding, FE_DOWNWARD);
}

#if defined(__x86_64__)
// Only where the processor can trap at all.
TEST(FloatScope, TrapsAreOffWithinAndOnAfter) {
  const int before = fegetexcept();
  feenableexcept(FE_DIVBYZERO | FE_INVALID);
  {
    const FloatScope scope(true);
    volatile float zero = 0, one = 1;
    EXPECT_TRUE(one / zero > 1);
  }
  EXPECT_EQ(fegetexcept(), FE_DIVBYZERO | FE_INVALID);
  EXPECT_EQ(fetestexcept(FE_DIVBYZERO), 0);
  fedisableexcept(FE_ALL_EXCEPT);
  feenableexcept(before);
}
#endif

TEST(FloatScope, AnExceptionRestoresTheThread) {
  try {
    const FloatScope scope(true);
    throw std::runtime_error("out");
  } catch (const std::runtime_error&) {
    EXPECT_GT(tiny_product(), 0.0F);
  }
  EXPECT_FALSE(FloatScope::active());
}

// Workers compute like their caller, call by call; also in nested calls.
TEST(FloatScope, GoesWithTheJob) {
  ThreadPool pool(4);
  for (int round = 0; round < 20; ++round) {
    for (const bool flush : {true, false}) {
      const FloatScope scope(flush);
      std::atomic<int> wrong{0};
      pool.for_each(64, [&](size_t) {
        std::this_thread::yield();
        if ((tiny_product() == 0.0F) != flush) ++wrong;
        pool.for_each(2, [&](size_t) {
          if ((tiny_product() == 0.0F) != flush) ++wrong;
        });
      });
      EXPECT_EQ(wrong, 0) << "flush " << flush;
    }
  }
}

TEST(FloatScope, LoopsOutsideAScopeFlush) {
  ThreadPool pool(2);
  for (const size_t count : {size_t{1}, size_t{16}}) {
    std::atomic<int> wrong{0};
    pool.for_each(count, [&](size_t) {
      if (tiny_product() != 0.0F) ++wrong;
    });
    EXPECT_EQ(wrong, 0);
  }
  EXPECT_GT(tiny_product(), 0.0F);
}

}  // namespace
}  // namespace sardonyx::core
