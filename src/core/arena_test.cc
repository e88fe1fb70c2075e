#include "core/arena.h"

#include <gtest/gtest.h>

#include <random>

#include "sardonyx/error.h"

namespace sardonyx::core {
namespace {

void expect_disjoint(const std::vector<Lifetime>& lives, const Placement& placement) {
  for (size_t a = 0; a < lives.size(); ++a) {
    EXPECT_EQ(placement.offsets[a] % kAlignment, 0u);
    EXPECT_LE(placement.offsets[a] + lives[a].bytes, placement.peak);
    for (size_t b = 0; b < a; ++b) {
      const bool together = lives[a].first <= lives[b].last && lives[b].first <= lives[a].last;
      const bool apart =
          placement.offsets[a] + lives[a].bytes <= placement.offsets[b] || placement.offsets[b] + lives[b].bytes <= placement.offsets[a];
      EXPECT_TRUE(!together || apart) << a << " and " << b;
    }
  }
}

TEST(Place, AChainNeedsTwoBuffers) {
  std::vector<Lifetime> lives;
  for (int i = 0; i < 10; ++i) lives.push_back({1000, i, i + 1});
  const Placement placement = place(lives);
  expect_disjoint(lives, placement);
  EXPECT_EQ(placement.peak, 2 * align_up(1000));
  EXPECT_EQ(placement.peak, placement.lower_bound);
}

TEST(Place, RandomLifetimesNeverCollide) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::vector<Lifetime> lives;
    for (int i = 0; i < 60; ++i) {
      const auto first = static_cast<int32_t>(random() % 40);
      lives.push_back({random() % 5000, first, first + static_cast<int32_t>(random() % 8)});
    }
    const Placement placement = place(lives);
    expect_disjoint(lives, placement);
    EXPECT_GE(placement.peak, placement.lower_bound);
    EXPECT_LE(placement.peak, placement.lower_bound * 3 / 2);
  }
}

TEST(Place, NothingToPlace) { EXPECT_EQ(place({}).peak, 0u); }

TEST(Arena, GrowsAndMoves) {
  Arena arena(100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.data()) % kAlignment, 0u);
  EXPECT_GE(arena.size(), 100u);
  arena.reserve(50);
  arena.data()[99] = std::byte{1};
  Arena moved = std::move(arena);
  EXPECT_EQ(moved.data()[99], std::byte{1});
  EXPECT_THROW(moved.reserve(SIZE_MAX - 10), Error);
}

}  // namespace
}  // namespace sardonyx::core
