#include "core/interrupt.h"

#include <algorithm>

namespace sardonyx::core {

namespace {
constexpr std::chrono::microseconds kBetweenLooks{100};
constexpr uint32_t kMaxStride = 64;

thread_local const Interrupt* current_interrupt = nullptr;
}  // namespace

InterruptScope::InterruptScope(const Interrupt* interrupt) noexcept : outer_(current_interrupt) {
  current_interrupt = interrupt != nullptr && interrupt->possible() ? interrupt : nullptr;
}

InterruptScope::~InterruptScope() { current_interrupt = outer_; }

const Interrupt* InterruptScope::current() noexcept { return current_interrupt; }

bool interrupted() noexcept { return current_interrupt != nullptr && (current_interrupt->cancelled() || current_interrupt->late()); }

void check_interrupt() {
  if (current_interrupt != nullptr) current_interrupt->check();
}

void InterruptCounter::ask() {
  left_ = kSteps;
  check_interrupt();
}

bool InterruptGate::past_deadline() noexcept {
  const Interrupt::Clock::time_point now = Interrupt::Clock::now();
  // The first look tells nothing about the pieces.
  if (looked_ != Interrupt::Clock::time_point{}) {
    stride_ = now - looked_ < kBetweenLooks ? std::min(stride_ * 2, kMaxStride) : std::max(stride_ / 2, uint32_t{1});
  }
  looked_ = now;
  left_ = stride_;
  return interrupt_->late();
}

}  // namespace sardonyx::core
