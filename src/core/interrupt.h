// How a caller stops a computation that runs: by a request from another thread, or by a time.
//
// The runtime sets an InterruptScope for the duration of a run. Loops over a ThreadPool then skip what is left once the caller wants the
// run to end, and long serial loops ask interrupted(); both return as if they were done. Their results are incomplete, and the runtime
// throws them away: it asks check() after each step.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>

#include "sardonyx/error.h"

namespace sardonyx::core {

class Interrupt {
 public:
  using Clock = std::chrono::steady_clock;

  Interrupt() = default;
  Interrupt(std::stop_token cancel, std::optional<Clock::time_point> deadline) : cancel_(std::move(cancel)), deadline_(deadline) {}

  // Whether anything can ever end the computation.
  bool is_possible() const noexcept { return cancel_.stop_possible() || deadline_; }

  // Throws Cancelled if the caller wants the computation to end.
  void check() const {
    if (cancelled()) throw Error(ErrorCode::kCancelled, "the run was cancelled by its caller");
    if (late()) throw Error(ErrorCode::kCancelled, "the run did not end before its deadline");
  }

  bool possible() const noexcept { return deadline_ || cancel_.stop_possible(); }
  bool has_deadline() const noexcept { return deadline_.has_value(); }
  bool cancelled() const noexcept { return cancel_.stop_requested(); }
  bool late() const noexcept { return deadline_ && Clock::now() >= *deadline_; }

 private:
  std::stop_token cancel_;
  std::optional<Clock::time_point> deadline_;
};

// Makes `interrupt` (null: none) the one that the calling thread's loops obey while the scope lives. Work whose results outlive the run,
// such as packed weights, is done under a scope of null.
class InterruptScope {
 public:
  explicit InterruptScope(const Interrupt* interrupt) noexcept;
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  static const Interrupt* current() noexcept;

 private:
  const Interrupt* outer_;
};

// Whether the run on this thread is to end: for serial loops, before each piece of some ten microseconds to a millisecond. Once it is true
// it stays true for the rest of the run.
bool interrupted() noexcept;

// Throws Cancelled if the run on this thread is to end: for serial loops in code that may throw.
void check_interrupt();

// The same for loops whose steps take nanoseconds, such as the comparisons of a sort: to be told of each step.
class InterruptCounter {
 public:
  void step() {
    if (--left_ == 0) ask();
  }

 private:
  static constexpr uint32_t kSteps = 1 << 14;
  void ask();
  uint32_t left_ = kSteps;
};

// interrupted() for loops over short pieces of work: looks at the clock only so often that about 100 microseconds lie between two looks.
class InterruptGate {
 public:
  explicit InterruptGate(const Interrupt* interrupt = InterruptScope::current()) noexcept : interrupt_(interrupt) {}

  // To be asked before each piece.
  bool stopped() noexcept {
    if (interrupt_ == nullptr) return false;
    if (interrupt_->cancelled()) return true;
    return interrupt_->has_deadline() && (--left_ == 0) && past_deadline();
  }

 private:
  bool past_deadline() noexcept;

  const Interrupt* interrupt_;
  uint32_t left_ = 1, stride_ = 1;
  Interrupt::Clock::time_point looked_{};
};

}  // namespace sardonyx::core
