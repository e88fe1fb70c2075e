// How a caller stops a computation that runs: by a request from another thread, or by a time.
#pragma once

#include <chrono>
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
    if (cancel_.stop_requested()) throw Error(ErrorCode::kCancelled, "the run was cancelled by its caller");
    if (deadline_ && Clock::now() >= *deadline_) throw Error(ErrorCode::kCancelled, "the run did not end before its deadline");
  }

 private:
  std::stop_token cancel_;
  std::optional<Clock::time_point> deadline_;
};

}  // namespace sardonyx::core
