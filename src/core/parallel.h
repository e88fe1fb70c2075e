// Fork-join parallelism over a pool of threads.
//
// The split of work is the caller's and must not depend on the number of threads, so that results do not either.
//
// The calling thread takes part. Workers sleep between calls, but for a few microseconds in which the next call of the same run may come;
// they are woken only for work that pays for it. Several threads may call one pool at once: each always computes its own indexes, and
// workers join those calls for which the pool has threads to spare. Nobody waits for somebody else's call.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sardonyx::core {

// Threads this process may really use: the least of the affinity mask, cpuset and cgroup (v1 or v2) CPU quota rounded up; at least 1.
int default_thread_count();

class ThreadPool {
 public:
  // `threads` counts the calling thread; 0: default_thread_count(). One thread: no worker is made.
  // Workers are started on first use, and again in a child after fork().
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const noexcept { return threads_; }

  // Calls body(i) once for each i in [0, count), on several threads, and returns when all are done. `body` must not throw. A call from
  // inside a body runs serially on the calling thread. Outside a FloatScope denormals are flushed to zero; the workers take over the
  // caller's floating-point control. Once the caller's InterruptScope says so, the indexes that are left are skipped. A child forked
  // inside a body must not return from it.
  template <class Body>
  void for_each(size_t count, const Body& body) noexcept {
    run(
        count, [](const void* context, size_t i, size_t) { (*static_cast<const Body*>(context))(i); }, &body);
  }

  // The same with the number of the thread, below threads(), that runs body(i, thread): for scratch memory of one thread. Which thread
  // gets which i is not determined; results must not depend on it.
  template <class Body>
  void for_each_with_thread(size_t count, const Body& body) noexcept {
    run(
        count, [](const void* context, size_t i, size_t thread) { (*static_cast<const Body*>(context))(i, thread); }, &body);
  }

  // Splits [0, count) into ranges of `grain` (the last may be shorter) and calls body(begin, end) for each.
  template <class Body>
  void for_ranges(size_t count, size_t grain, const Body& body) noexcept {
    if (grain == 0) grain = 1;
    for_each((count + grain - 1) / grain, [&](size_t part) {
      const size_t begin = part * grain;
      body(begin, begin + grain < count ? begin + grain : count);
    });
  }

 private:
  void run(size_t count, void (*call)(const void*, size_t, size_t), const void* context) noexcept;

  class Crew;
  Crew* crew() noexcept;

  const int threads_;
  std::atomic<Crew*> crew_{nullptr};
};

// Calls body(i) for each i in [0, count), on the threads of the pool; null: on the calling one alone.
template <class Body>
void for_each(ThreadPool* pool, size_t count, const Body& body) noexcept {
  if (pool) return pool->for_each(count, body);
  for (size_t i = 0; i < count; ++i) body(i);
}

// The process-wide pool of default size that eager calls use.
ThreadPool& shared_pool();

}  // namespace sardonyx::core
