#include "core/parallel.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
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

// Runs body(caller) on so many threads at once.
template <class Body>
void on_threads(size_t callers, const Body& body) {
  std::vector<std::thread> threads;
  for (size_t caller = 0; caller < callers; ++caller) threads.emplace_back([&body, caller] { body(caller); });
  for (std::thread& thread : threads) thread.join();
}

// One loop: each index once, and no two threads of one number at the same time.
void check_loop(ThreadPool& pool, size_t count) {
  std::vector<std::atomic<int>> calls(count), busy(static_cast<size_t>(pool.threads()));
  std::atomic<int> clashes{0};
  pool.for_each_with_thread(count, [&](size_t i, size_t thread) {
    if (busy[thread].fetch_add(1) != 0) ++clashes;
    ++calls[i];
    busy[thread].fetch_sub(1);
  });
  EXPECT_EQ(clashes, 0);
  EXPECT_TRUE(std::ranges::all_of(calls, [](const std::atomic<int>& times) { return times == 1; }));
}

TEST(ThreadPool, ManyCallersOfManyPools) {
  ThreadPool two(2), three(3), eight(8);
  ThreadPool* const pools[] = {&two, &three, &eight};
  on_threads(6, [&](size_t caller) {
    std::mt19937 random(static_cast<unsigned>(caller));
    for (int i = 0; i < 300; ++i) {
      check_loop(*pools[random() % 3], random() % 40);
      if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));  // so that workers fall asleep
    }
  });
}

TEST(ThreadPool, NestedLoopsOfManyCallers) {
  ThreadPool pool(4), other(2);
  std::atomic<size_t> sum{0};
  on_threads(4, [&](size_t) {
    for (int i = 0; i < 50; ++i) {
      pool.for_each(6, [&](size_t) {
        pool.for_each(5, [&](size_t) { ++sum; });
        other.for_each(5, [&](size_t) { ++sum; });
      });
    }
  });
  EXPECT_EQ(sum, 4U * 50 * 6 * 10);
}

// None of these calls could end if one of them waited for another one; also beyond the number that workers can be told of.
TEST(ThreadPool, NobodyWaitsForSomebodyElsesCall) {
  ThreadPool pool(2);
  constexpr size_t kCallers = 40;
  std::atomic<size_t> inside{0};
  on_threads(kCallers, [&](size_t) {
    bool first = true;
    const std::thread::id caller = std::this_thread::get_id();
    pool.for_each(3, [&](size_t) {
      if (std::this_thread::get_id() != caller || !std::exchange(first, false)) return;
      ++inside;
      while (inside < kCallers) std::this_thread::yield();
    });
  });
  EXPECT_EQ(inside, kCallers);
}

// Both indexes can be under way only if a worker takes one.
TEST(ThreadPool, WorkersHelp) {
  ThreadPool pool(2);
  for (int round = 0; round < 20; ++round) {
    std::atomic<size_t> inside{0};
    pool.for_each(2, [&](size_t) {
      ++inside;
      while (inside < 2) std::this_thread::yield();
    });
    if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Loops that are over before a worker wakes: it must find neither the job nor what lies in its place.
TEST(ThreadPool, WorkersMayComeTooLate) {
  ThreadPool pool(4);
  std::atomic<size_t> sum{0};
  for (int i = 0; i < 400; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(i % 4 * 30));
    // A number of indexes that was not met before counts as long, so that workers are woken.
    pool.for_each(static_cast<size_t>(2 + i), [&](size_t) { sum.fetch_add(1, std::memory_order_relaxed); });
  }
  EXPECT_EQ(sum, 400U * 2 + 399U * 400 / 2);
}

TEST(ThreadPool, CanEndAtAnyTime) {
  for (int i = 0; i < 100; ++i) {
    ThreadPool pool(1 + i % 5);
    if (i % 3 == 0) continue;
    check_loop(pool, static_cast<size_t>(i));
  }
}

// One that ends while others work, and loops of a thread that unwinds.
TEST(ThreadPool, OthersAreNotDisturbed) {
  struct LoopsAtItsEnd {
    ThreadPool& pool;
    ~LoopsAtItsEnd() { check_loop(pool, 20); }
  };
  ThreadPool shared(3);
  on_threads(4, [&](size_t caller) {
    for (int i = 0; i < 50; ++i) {
      ThreadPool own(2);
      check_loop(caller % 2 ? own : shared, 30);
      try {
        const LoopsAtItsEnd loops{shared};
        throw std::runtime_error("unwind");
      } catch (const std::runtime_error&) {
      }
    }
  });
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(ThreadPool, AnIdleProcessIsQuiet) {
  ThreadPool pool(4), other(2);
  for (int i = 0; i < 200; ++i) {
    check_loop(pool, 64);
    check_loop(other, 64);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double before = processor_seconds();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_LT(processor_seconds() - before, 0.005);
}

// ThreadSanitizer cannot follow a fork of a process with threads.
#if defined(__SANITIZE_THREAD__)
#define SARDONYX_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SARDONYX_TSAN 1
#endif
#endif
// The exit status of a child that runs body.
template <class Body>
int status_of_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool counts_to_a_hundred(ThreadPool& pool) {
  std::atomic<int> sum{0};
  pool.for_each(100, [&](size_t) { ++sum; });
  return sum == 100;
}

TEST(ThreadPool, WorksInAForkedChild) {
#ifdef SARDONYX_TSAN
  GTEST_SKIP() << "ThreadSanitizer does not support new threads after a fork";
#endif
  ThreadPool pool(2);
  ASSERT_TRUE(counts_to_a_hundred(pool));
  const auto child = [&] { return counts_to_a_hundred(pool); };
  EXPECT_EQ(status_of_child(child), 0);
  EXPECT_EQ(status_of_child([&] { return child() && status_of_child(child) == 0; }), 0);
  // Pools that are made, or end, in the child.
  auto inherited = std::make_unique<ThreadPool>(3);
  ASSERT_TRUE(counts_to_a_hundred(*inherited));
  EXPECT_EQ(status_of_child([&] {
              inherited.reset();
              ThreadPool fresh(2);
              return counts_to_a_hundred(fresh);
            }),
            0);
  EXPECT_TRUE(counts_to_a_hundred(*inherited));
}

// The child's workers really work: both indexes must be under way at once.
TEST(ThreadPool, AChildForkedWhileThePoolIsBusyHasWorkersOfItsOwn) {
#ifdef SARDONYX_TSAN
  GTEST_SKIP() << "ThreadSanitizer does not support new threads after a fork";
#endif
  ThreadPool pool(2);
  std::atomic<bool> stop{false}, started{false};
  std::thread caller([&] {
    while (!stop) {
      pool.for_each(50, [&](size_t) { started = true; });
    }
  });
  while (!started) std::this_thread::yield();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(status_of_child([&] {
                std::atomic<int> inside{0};
                pool.for_each(2, [&](size_t) {
                  ++inside;
                  while (inside < 2) std::this_thread::yield();
                });
                return inside == 2;
              }),
              0);
  }
  stop = true;
  caller.join();
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
