// How work on the output lines of many planes is cut into tasks of similar cost.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

// A task is a run of lines (outputs along the last dimension) of one plane. `window` has rank 3.
class LineTasks {
 public:
  LineTasks(const Window& window, size_t planes)
      : planes_(planes), lines_(window.out[0] * window.out[1]), line_cost_(std::max<size_t>(window.out[2] * window.kernel_size(), 1)) {
    lines_per_task_ = std::clamp<size_t>(kTaskCost / line_cost_, 1, std::max<size_t>(lines_, 1));
    tasks_per_plane_ = (lines_ + lines_per_task_ - 1) / lines_per_task_;
  }

  size_t count() const noexcept { return planes_ * tasks_per_plane_; }
  size_t plane(size_t task) const noexcept { return task / tasks_per_plane_; }
  size_t first_line(size_t task) const noexcept { return task % tasks_per_plane_ * lines_per_task_; }
  // Consecutive tasks that one thread may well do at once: more than one where planes are small.
  size_t count_at_once() const noexcept { return std::max<size_t>(kTaskCost / std::max<size_t>(lines_per_task_ * line_cost_, 1), 1); }
  size_t last_line(size_t task) const noexcept { return std::min(first_line(task) + lines_per_task_, lines_); }

 private:
  static constexpr size_t kTaskCost = 1 << 16;  // taps

  size_t planes_;
  size_t lines_;
  size_t line_cost_;
  size_t lines_per_task_;
  size_t tasks_per_plane_;
};

}  // namespace sardonyx::kernels
