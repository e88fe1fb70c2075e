#include "core/parallel.h"

#include <pthreadpool.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "core/cpu_info.h"

namespace sardonyx::core {

namespace {
thread_local bool inside_body = false;

struct InsideBody {
  bool outer = inside_body;
  InsideBody() { inside_body = true; }
  ~InsideBody() { inside_body = outer; }
};

// One call of for_each: its workers take the next index until none is left.
struct Job {
  void (*call)(const void*, size_t, size_t);
  const void* context;
  size_t count;
  std::atomic<size_t> next{0};
  std::atomic<size_t> finished{0};

  void work(size_t thread) noexcept {
    const InsideBody guard;
    for (size_t i = next.fetch_add(1, std::memory_order_relaxed); i < count; i = next.fetch_add(1, std::memory_order_relaxed)) {
      call(context, i, thread);
    }
    finished.fetch_add(1, std::memory_order_release);
  }
};
}  // namespace

struct ThreadPool::State {
  std::mutex turn;  // callers from several threads wait here
  // The job in progress, published to the workers and its end taken back by these atomics alone: the thread library's own
  // synchronisation is its business (and unseen by sanitizers).
  std::atomic<Job*> current{nullptr};
  std::mutex mutex;
  std::atomic<pthreadpool_t> pool{nullptr};
  std::atomic<pid_t> owner{0};

  // The workers of this process. Those of a forked parent do not exist here; its bookkeeping is left alone.
  pthreadpool_t workers(int threads) {
    const pid_t process = getpid();
    if (owner.load(std::memory_order_acquire) == process) return pool.load(std::memory_order_relaxed);
    const std::lock_guard lock(mutex);
    if (owner.load(std::memory_order_relaxed) != process) {
      pool.store(pthreadpool_create(static_cast<size_t>(threads)), std::memory_order_relaxed);
      owner.store(process, std::memory_order_release);
    }
    return pool.load(std::memory_order_relaxed);
  }

  ~State() {
    if (owner.load() == getpid()) pthreadpool_destroy(pool.load());
  }
};

ThreadPool::ThreadPool(int threads) : threads_(threads > 0 ? threads : default_thread_count()), state_(std::make_unique<State>()) {}
ThreadPool::~ThreadPool() = default;

void ThreadPool::run(size_t count, void (*call)(const void*, size_t, size_t), const void* context) noexcept {
  const FlushDenormals flush;
  Job job{call, context, count};
  if (threads_ == 1 || count <= 1 || inside_body) return job.work(0);
  pthreadpool_t workers = state_->workers(threads_);
  if (workers == nullptr) return job.work(0);  // no thread could be started
  const size_t parts = std::min<size_t>(static_cast<size_t>(threads_), count);
  const std::lock_guard turn(state_->turn);
  state_->current.store(&job, std::memory_order_release);
  pthreadpool_parallelize_1d(
      workers, [](void* state, size_t thread) { static_cast<State*>(state)->current.load(std::memory_order_acquire)->work(thread); },
      state_.get(), parts, PTHREADPOOL_FLAG_DISABLE_DENORMALS);
  while (job.finished.load(std::memory_order_acquire) != parts) {
  }
}

ThreadPool& shared_pool() {
  static ThreadPool pool;
  return pool;
}

}  // namespace sardonyx::core
