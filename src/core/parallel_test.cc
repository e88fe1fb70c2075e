#include "core/parallel.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <limits>
#include <numeric>
#include <thread>
#include <vector>

#include "core/cpu_info.h"
#include "sardonyx/process.h"

namespace sardonyx::core {
namespace {

TEST(ThreadPool, CallsEachIndexOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (const size_t count : {size_t{0}, size_t{1}, size_t{2}, size_t{1000}}) {
      std::vector<std::atomic<int>> calls(count);
      pool.for_each_with_thread(count, [&](size_t i, size_t thread) {
        ASSERT_LT(thread, static_cast<size_t>(threads));
        ++calls[i];
      });
      for (const std::atomic<int>& times : calls) EXPECT_EQ(times, 1);
    }
  }
}

TEST(ThreadPool, RangesCoverEverything) {
  ThreadPool pool(3);
  std::vector<int> touched(1003);
  pool.for_ranges(touched.size(), 100, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) ++touched[i];
  });
  EXPECT_EQ(std::accumulate(touched.begin(), touched.end(), 0), 1003);
}

TEST(ThreadPool, NestedCallsRunSerially) {
  ThreadPool pool(2);
  std::atomic<int> sum{0};
  pool.for_each(4, [&](size_t) { pool.for_each(10, [&](size_t) { ++sum; }); });
  EXPECT_EQ(sum, 40);
}

TEST(ThreadPool, CallersFromSeveralThreadsTakeTurns) {
  ThreadPool pool(2);
  std::atomic<int> sum{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) pool.for_each(20, [&](size_t) { ++sum; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 50 * 20);
}

// ThreadSanitizer cannot follow a fork of a process with threads.
#if defined(__SANITIZE_THREAD__)
#define SARDONYX_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SARDONYX_TSAN 1
#endif
#endif
TEST(ThreadPool, WorksInAForkedChild) {
#ifdef SARDONYX_TSAN
  GTEST_SKIP() << "ThreadSanitizer does not support new threads after a fork";
#endif
  ThreadPool pool(2);
  pool.for_each(8, [](size_t) {});
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> sum{0};
    pool.for_each(100, [&](size_t) { ++sum; });
    _exit(sum == 100 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(FlushDenormals, RestoresTheThread) {
  volatile float tiny = std::numeric_limits<float>::min();
  {
    const FlushDenormals flush;
    EXPECT_EQ(tiny * 0.5f, 0.0f);
  }
  EXPECT_GT(tiny * 0.5f, 0.0f);
}

class CgroupTree : public testing::Test {
 protected:
  CgroupTree() : root_(std::filesystem::temp_directory_path() / ("sardonyx_cgroup_" + std::to_string(getpid()))) {}
  ~CgroupTree() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::filesystem::path root_;
};

TEST_F(CgroupTree, VersionTwoTakesTheLeastOfTheAncestors) {
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  write("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_), 1.5);
}

TEST_F(CgroupTree, VersionOne) {
  write("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/docker/1\n");
  write("sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_), 0.5);
  write("sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(cgroup_cpu_quota(root_), std::nullopt);
}

TEST_F(CgroupTree, InsideAContainerTheMountIsTheGroup) {
  write("proc/self/cgroup", "0::/not/visible/here\n");
  write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_), 2.0);
}

TEST_F(CgroupTree, NothingKnown) {
  EXPECT_EQ(cgroup_cpu_quota(root_), std::nullopt);
  write("proc/self/cgroup", "0::/../../etc\ngarbage\n");
  EXPECT_EQ(cgroup_cpu_quota(root_), std::nullopt);
  EXPECT_GE(default_thread_count(), 1);
}

TEST(CpuInfo, ResidentMemoryIsKnown) {
  EXPECT_GT(resident_memory(), 0u);
  EXPECT_GE(peak_resident_memory(), resident_memory() / 2);
  EXPECT_GT(available_memory(), 0u);
  EXPECT_EQ(available_threads(), default_thread_count());
}

}  // namespace
}  // namespace sardonyx::core
