// A call of for_each is a Job on its caller's stack. While it has indexes left it is on offer in a Slot of the pool's Crew, where idle
// workers find it. A worker may touch a job only between Slot::join, which fails once the slot is closed, and Slot::leave; the caller
// closes the slot and waits until all have left. Slots live as long as the crew, so coming late is harmless.
#include "core/parallel.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "core/cpu_info.h"
#include "core/float_scope.h"
#include "core/interrupt.h"

namespace sardonyx::core {

namespace {

using Clock = std::chrono::steady_clock;
using Call = void (*)(const void*, size_t, size_t);

// How long a worker without work, and a caller whose last indexes are being computed by others, stay awake.
constexpr std::chrono::microseconds kSpin{20};
// Nanoseconds of a whole call from which it is worth to be shared with workers that are awake, and to wake one.
constexpr float kWorthSharing = 3e3F, kWorthWaking = 12e3F;
// A thread takes indexes in pieces of which there are about so many per thread.
constexpr size_t kPiecesPerThread = 32;

constexpr float kUnknownCost = 1e9F;

thread_local bool inside_body = false;

struct InsideBody {
  bool outer = inside_body;
  InsideBody() { inside_body = true; }
  ~InsideBody() { inside_body = outer; }
};

void pause_processor() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

float nanoseconds_since(Clock::time_point begin) noexcept { return std::chrono::duration<float, std::nano>(Clock::now() - begin).count(); }

// Until done() or for kSpin; whether done() was seen.
template <class Done>
bool spin_until(const Done& done) noexcept {
  const Clock::time_point begin = Clock::now();
  do {
    for (int i = 0; i < 8; ++i) {
      if (done()) return true;
      pause_processor();
    }
  } while (Clock::now() - begin < kSpin);
  return done();
}

struct Job {
  Call call;
  const void* context;
  size_t count;
  size_t piece;
  const Interrupt* interrupt;
  uint64_t float_control;
  alignas(64) std::atomic<size_t> next{0};  // the first index that nobody took

  // Takes pieces until none is left; the number of indexes computed.
  size_t work(size_t thread) noexcept {
    const InsideBody guard;
    InterruptGate gate(interrupt);
    size_t done = 0;
    for (size_t begin = take(); begin < count; begin = take()) {
      const size_t end = std::min(begin + piece, count);
      for (size_t i = begin; i < end; ++i, ++done) {
        if (gate.stopped()) {
          next.store(count, std::memory_order_relaxed);
          return done;
        }
        call(context, i, thread);
      }
    }
    return done;
  }

  size_t take() noexcept { return next.fetch_add(piece, std::memory_order_relaxed); }
};

void work_alone(size_t first, size_t count, Call call, const void* context) noexcept {
  const InsideBody guard;
  InterruptGate gate;
  for (size_t i = first; i < count && !gate.stopped(); ++i) call(context, i, 0);
}

// Computes indexes until as much time has passed as a call must take to be shared; returns the first one that is left.
size_t begin_alone(size_t count, Call call, const void* context, Clock::time_point begin) noexcept {
  const InsideBody guard;
  InterruptGate gate;
  for (size_t i = 0; i < count; ++i) {
    if (gate.stopped()) return count;
    call(context, i, 0);
    if (nanoseconds_since(begin) > kWorthSharing) return i + 1;
  }
  return count;
}

// What an index took lately, by loop and number of indexes: tells calls that nobody need be woken for. Loops that share an entry make
// each other forget, which costs a wake-up.
class CostMemory {
 public:
  // Nanoseconds of the whole call; a lot, if it is not known.
  float of_call(Call call, size_t count) const noexcept {
    const Entry& e = entries_[slot(call, count)];
    return e.call == call && e.count == count ? e.per_index * static_cast<float>(count) : kUnknownCost;
  }
  void remember(Call call, size_t count, float per_index) noexcept { entries_[slot(call, count)] = {call, count, per_index}; }

 private:
  struct Entry {
    Call call = nullptr;
    size_t count = 0;
    float per_index = 0;
  };
  static constexpr int kBits = 6;
  static size_t slot(Call call, size_t count) noexcept {
    return static_cast<size_t>((reinterpret_cast<uintptr_t>(call) ^ uint64_t{count} << 32) * 0x9E3779B97F4A7C15U >> (64 - kBits));
  }
  std::array<Entry, size_t{1} << kBits> entries_{};
};
thread_local CostMemory costs;

class alignas(64) Slot {
 public:
  bool take() noexcept {
    uint32_t free = 0;
    return state_.load(std::memory_order_relaxed) == 0 && state_.compare_exchange_strong(free, kTaken, std::memory_order_acquire);
  }
  void open(Job& job) noexcept {
    job_ = &job;
    state_.store(kTaken | kOpen, std::memory_order_release);
  }
  // From here to leave() the job is there.
  Job* join() noexcept {
    uint32_t seen = state_.load(std::memory_order_relaxed);
    while (seen & kOpen) {
      if (state_.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire, std::memory_order_relaxed)) return job_;
    }
    return nullptr;
  }
  void leave() noexcept {
    const uint32_t before = state_.fetch_sub(1, std::memory_order_release);
    if ((before & kAwaited) && (before & kInside) == 1) state_.notify_all();
  }
  // Nobody joins any more.
  void close() noexcept { state_.fetch_and(~kOpen, std::memory_order_relaxed); }
  // Waits until all have left, then gives the slot back.
  void finish(bool spin) noexcept {
    const auto empty = [&] { return (state_.load(std::memory_order_acquire) & kInside) == 0; };
    if (!empty() && !(spin && spin_until(empty))) {
      uint32_t seen = state_.fetch_or(kAwaited, std::memory_order_acquire) | kAwaited;
      while (seen & kInside) {
        state_.wait(seen, std::memory_order_acquire);
        seen = state_.load(std::memory_order_acquire);
      }
    }
    state_.store(0, std::memory_order_release);
  }

 private:
  static constexpr uint32_t kOpen = 1U << 31, kTaken = 1U << 30, kAwaited = 1U << 29, kInside = kAwaited - 1;  // kInside counts workers
  std::atomic<uint32_t> state_{0};
  Job* job_ = nullptr;
};

// How often this process and its ancestors forked: threads of another generation do not exist here.
std::atomic<uint64_t> fork_generation{0};

void watch_forks() {
  [[maybe_unused]] static const int watched = pthread_atfork(nullptr, nullptr, [] { fork_generation.fetch_add(1); });
}

// Signals of the program are for its own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

// The workers of one process.
class ThreadPool::Crew {
 public:
  explicit Crew(int threads) : threads_(static_cast<size_t>(threads)), spin_(threads <= processors()) {}
  ~Crew() {
    stop_.store(true);
    wake(threads_);
    for (std::thread& worker : workers_) worker.join();
  }

  // Starts the workers; fewer, where the system refuses.
  void start() noexcept {
    const SignalsBlocked blocked;
    try {
      workers_.reserve(threads_ - 1);
      for (size_t number = 1; number < threads_; ++number) workers_.emplace_back([this, number] { live(number); });
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) {
    }
  }

  bool of_this_process() const noexcept { return generation_ == fork_generation.load(std::memory_order_acquire); }

  // Offers the job to workers, wakes up to `helpers` of them, takes part, and returns when it is done: what an index took here.
  float run(Job& job, size_t helpers) noexcept {
    const auto slot = std::ranges::find_if(slots_, &Slot::take);
    if (slot == slots_.end()) return take_part(job);
    slot->open(job);
    const uint32_t bit = 1U << (slot - slots_.begin());
    open_.fetch_or(bit);
    wake(helpers - std::min<size_t>(helpers, spinning_.load()));
    const float per_index = take_part(job);
    withdraw(*slot, bit);
    slot->finish(spin_);
    return per_index;
  }

 private:
  static float take_part(Job& job) noexcept {
    const Clock::time_point begin = Clock::now();
    const size_t done = job.work(0);
    return done == 0 ? kUnknownCost : nanoseconds_since(begin) / static_cast<float>(done);
  }

  static int processors() {
    static const int count = default_thread_count();
    return count;
  }

  // The bit goes first, so that a set bit means an open slot. Only who is inside may do this.
  void withdraw(Slot& slot, uint32_t bit) noexcept {
    if (open_.load(std::memory_order_relaxed) & bit) open_.fetch_and(~bit);
    slot.close();
  }

  // Whoever goes to sleep counts itself before it looks for work the last time; whoever offers work looks at the count after.
  void wake(size_t workers) noexcept {
    if (workers == 0) return;
    const size_t asleep = asleep_.load();
    if (asleep == 0) return;
    epoch_.fetch_add(1);
    if (workers >= asleep) return epoch_.notify_all();
    for (size_t i = 0; i < workers; ++i) epoch_.notify_one();
  }

  // Each caller keeps a processor busy; the workers share the others.
  bool has_work(size_t number) const noexcept {
    const uint32_t open = open_.load();
    return open != 0 && number + static_cast<size_t>(std::popcount(open)) <= threads_;
  }

  void live(size_t number) noexcept {
    const FloatScope floats(true);
    while (!stop_.load()) {
      if (has_work(number)) {
        serve(number);
      } else if (!spin(number)) {
        sleep(number);
      }
    }
  }

  void serve(size_t number) noexcept {
    const uint32_t open = open_.load();
    for (size_t i = 0; i < kSlots; ++i) {
      const size_t at = (number + i) % kSlots;
      if ((open >> at & 1U) == 0) continue;
      Job* job = slots_[at].join();
      if (job == nullptr) continue;
      set_float_control(job->float_control);
      {
        const InterruptScope interrupt(job->interrupt);
        job->work(number);
      }
      withdraw(slots_[at], 1U << at);
      return slots_[at].leave();
    }
  }

  bool spin(size_t number) noexcept {
    if (!spin_) return false;
    spinning_.fetch_add(1);
    const bool found = spin_until([&] { return has_work(number) || stop_.load(std::memory_order_relaxed); });
    spinning_.fetch_sub(1);
    return found;
  }

  void sleep(size_t number) noexcept {
    asleep_.fetch_add(1);
    const uint32_t seen = epoch_.load();
    if (!has_work(number) && !stop_.load()) epoch_.wait(seen);
    asleep_.fetch_sub(1);
  }

  static constexpr size_t kSlots = 16;

  const size_t threads_;
  const bool spin_;  // with more threads than processors, who spins keeps others from working
  const uint64_t generation_ = fork_generation.load();
  std::array<Slot, kSlots> slots_;
  alignas(64) std::atomic<uint32_t> open_{0};  // slots on offer, a bit each
  alignas(64) std::atomic<uint32_t> spinning_{0};
  std::atomic<uint32_t> asleep_{0};
  std::atomic<uint32_t> epoch_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
  Crew* before_ = nullptr;  // that of the parent process: never freed, but not lost

  friend class ThreadPool;
};

ThreadPool::ThreadPool(int threads) : threads_(threads > 0 ? threads : default_thread_count()) { watch_forks(); }

ThreadPool::~ThreadPool() {
  // The workers of a forked parent do not exist here; what knows of them is left alone.
  if (Crew* crew = crew_.load(); crew != nullptr && crew->of_this_process()) delete crew;
}

ThreadPool::Crew* ThreadPool::crew() noexcept {
  Crew* crew = crew_.load(std::memory_order_acquire);
  if (crew != nullptr && crew->of_this_process()) return crew;
  Crew* fresh = new (std::nothrow) Crew(threads_);
  if (fresh == nullptr) return nullptr;
  if (!crew_.compare_exchange_strong(crew, fresh, std::memory_order_acq_rel)) {
    delete fresh;
    return crew;
  }
  fresh->before_ = crew;
  fresh->start();
  return fresh;
}

void ThreadPool::run(size_t count, Call call, const void* context) noexcept {
  if (count == 0) return;
  if (!FloatScope::active()) {
    const FloatScope floats(true);
    return run(count, call, context);
  }
  if (threads_ == 1 || count == 1 || inside_body) return work_alone(0, count, call, context);
  const Clock::time_point begin = Clock::now();
  const float cost = costs.of_call(call, count);
  // What was short lately is begun alone.
  const size_t first = cost < kWorthSharing ? begin_alone(count, call, context, begin) : 0;
  if (first == count) return costs.remember(call, count, nanoseconds_since(begin) / static_cast<float>(count));
  Crew* workers = crew();
  if (workers == nullptr) return work_alone(first, count, call, context);
  const size_t threads = static_cast<size_t>(threads_), left = count - first;
  Job job{call, context, count, std::max<size_t>(1, left / (threads * kPiecesPerThread)), InterruptScope::current(), float_control()};
  job.next.store(first, std::memory_order_relaxed);
  const size_t helpers = std::min({threads - 1, left - 1, static_cast<size_t>(cost / kWorthWaking)});
  costs.remember(call, count, workers->run(job, helpers));
}

ThreadPool& shared_pool() {
  static ThreadPool pool;
  return pool;
}

}  // namespace sardonyx::core
