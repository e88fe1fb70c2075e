#include "core/interrupt.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "core/expect_error.h"
#include "core/parallel.h"

namespace sardonyx::core {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(Interrupt, NobodyCanInterruptByDefault) {
  const Interrupt none;
  EXPECT_FALSE(none.possible());
  EXPECT_NO_THROW(none.check());
  const InterruptScope scope(&none);
  EXPECT_EQ(InterruptScope::current(), nullptr);
  EXPECT_FALSE(interrupted());
}

TEST(Interrupt, ScopesNest) {
  std::stop_source source;
  const Interrupt interrupt(source.get_token(), {});
  const InterruptScope scope(&interrupt);
  EXPECT_FALSE(interrupted());
  source.request_stop();
  EXPECT_TRUE(interrupted());
  {
    const InterruptScope to_the_end(nullptr);
    EXPECT_FALSE(interrupted());
  }
  EXPECT_TRUE(interrupted());
  EXPECT_THROW(interrupt.check(), Error);
}

// The deadline is noticed however short the pieces are, and though the clock is not looked at before each.
TEST(Interrupt, TheGateNoticesTheDeadline) {
  const Interrupt interrupt({}, steady_clock::now() + milliseconds(20));
  InterruptGate gate(&interrupt);
  size_t pieces = 0;
  while (!gate.stopped()) ++pieces;
  EXPECT_TRUE(interrupt.late());
  EXPECT_GT(pieces, 100U);
  const Interrupt past({}, steady_clock::now());
  EXPECT_TRUE(InterruptGate(&past).stopped());
}

class InterruptedLoops : public testing::TestWithParam<int> {};

TEST_P(InterruptedLoops, SkipWhatIsLeft) {
  ThreadPool pool(GetParam());
  for (int round = 0; round < 20; ++round) {
    std::stop_source source;
    const Interrupt interrupt(source.get_token(), {});
    const InterruptScope scope(&interrupt);
    std::atomic<size_t> calls{0};
    pool.for_each(100000, [&](size_t) {
      const size_t call = ++calls;
      if (call == 10) source.request_stop();
      while (call > 10 && !source.stop_requested()) std::this_thread::yield();  // the thread of the tenth may be slow to ask
    });
    EXPECT_GE(calls, 10U);
    EXPECT_LE(calls, 10U + static_cast<size_t>(pool.threads()));
    pool.for_each(3, [&](size_t) { ADD_FAILURE() << "begun after the interrupt"; });
  }
}

TEST_P(InterruptedLoops, EndAtTheDeadline) {
  ThreadPool pool(GetParam());
  const Interrupt interrupt({}, steady_clock::now() + milliseconds(5));
  const InterruptScope scope(&interrupt);
  std::atomic<size_t> calls{0};
  pool.for_each(size_t{1} << 40, [&](size_t) { calls.fetch_add(1, std::memory_order_relaxed); });
  EXPECT_TRUE(interrupt.late());
  EXPECT_LT(calls, size_t{1} << 40);
}

// Workers carry the caller's interrupt, also into nested loops and interrupted().
TEST_P(InterruptedLoops, BodiesKnow) {
  ThreadPool pool(GetParam());
  std::stop_source source;
  const Interrupt interrupt(source.get_token(), {});
  const InterruptScope scope(&interrupt);
  std::atomic<int> strangers{0};
  pool.for_each(200, [&](size_t) {
    std::this_thread::yield();
    if (InterruptScope::current() != &interrupt) ++strangers;
  });
  EXPECT_EQ(strangers, 0);
  std::atomic<size_t> inner{0};
  pool.for_each(8, [&](size_t) {
    source.request_stop();
    if (!interrupted()) ++strangers;
    pool.for_each(10, [&](size_t) { ++inner; });
  });
  EXPECT_EQ(strangers, 0);
  EXPECT_EQ(inner, 0U);
}

INSTANTIATE_TEST_SUITE_P(Threads, InterruptedLoops, testing::Values(1, 2, 5));

}  // namespace
}  // namespace sardonyx::core
