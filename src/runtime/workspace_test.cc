#include "runtime/workspace.h"

#include <gtest/gtest.h>

namespace sardonyx::runtime {
namespace {

TEST(Workspace, IsSharedByRunsOneAfterTheOther) {
  WorkspacePool pool;
  { const WorkspacePool::Lease lease(pool, 1000); }
  const WorkspacePool::Lease lease(pool, 500);
  EXPECT_EQ(lease->index, 0U);
  EXPECT_GE(lease->arena.size(), 1000U);
}

TEST(Workspace, SimultaneousRunsGetDifferentOnes) {
  WorkspacePool pool;
  const WorkspacePool::Lease a(pool, 100), b(pool, 100);
  EXPECT_NE(a->index, b->index);
  EXPECT_NE(a->arena.data(), b->arena.data());
}

TEST(Workspace, TheSmallestThatFitsIsTaken) {
  WorkspacePool pool;
  {
    const WorkspacePool::Lease large(pool, 1 << 20), small(pool, 1 << 10);
    EXPECT_EQ(small->index, 1U);
  }
  const WorkspacePool::Lease small(pool, 1 << 9);
  EXPECT_EQ(small->index, 1U);
  const WorkspacePool::Lease grown(pool, 1 << 21);
  EXPECT_EQ(grown->index, 0U);
}

TEST(Workspace, HeadRoomComesWithTheSecondSize) {
  WorkspacePool pool(true);
  { const WorkspacePool::Lease lease(pool, 100'000); }
  const std::byte* place = nullptr;
  {
    const WorkspacePool::Lease lease(pool, 200'000);
    EXPECT_GE(lease->arena.size(), 300'000U);
    place = lease->arena.data();
  }
  const WorkspacePool::Lease lease(pool, 300'000);
  EXPECT_EQ(lease->arena.data(), place);
}

TEST(Workspace, TrimFreesIdleOnes) {
  WorkspacePool pool;
  { const WorkspacePool::Lease lease(pool, 1000); }
  pool.trim();
  const WorkspacePool::Lease lease(pool, 0);
  EXPECT_EQ(lease->arena.size(), 0U);
}

}  // namespace
}  // namespace sardonyx::runtime
