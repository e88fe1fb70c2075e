// How work on the output lines of many planes is cut into tasks of similar cost.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

// Outputs [first_column, last_column) of each of some lines of a plane.
struct LineRange {
  size_t first_line, last_line, first_column, last_column;
};

// A task is a run of lines (outputs along the last dimension) of one plane, or a part of a long line. `window` has rank 3.
class LineTasks {
 public:
  LineTasks(const Window& window, size_t planes)
      : planes_(planes),
        lines_(window.out[0] * window.out[1]),
        columns_(window.out[2]),
        columns_per_task_(
            std::clamp(kLongLineCost / std::max<size_t>(window.kernel_size(), 1), kLeastColumns, std::max(columns_, kLeastColumns))),
        parts_(std::max<size_t>((columns_ + columns_per_task_ - 1) / columns_per_task_, 1)),
        task_cost_(std::max<size_t>(std::min(columns_, columns_per_task_) * window.kernel_size(), 1)) {
    lines_per_task_ = parts_ > 1 ? 1 : std::clamp<size_t>(kTaskCost / task_cost_, 1, std::max<size_t>(lines_, 1));
    tasks_per_plane_ = (lines_ + lines_per_task_ - 1) / lines_per_task_ * parts_;
  }

  size_t count() const noexcept { return planes_ * tasks_per_plane_; }
  size_t plane(size_t task) const noexcept { return task / tasks_per_plane_; }
  LineRange range(size_t task) const noexcept {
    const size_t in_plane = task % tasks_per_plane_, line = in_plane / parts_ * lines_per_task_;
    const size_t column = in_plane % parts_ * columns_per_task_;
    return {line, std::min(line + lines_per_task_, lines_), column, std::min(column + columns_per_task_, columns_)};
  }
  // Consecutive tasks that one thread may well do at once: more than one where planes are small.
  size_t count_at_once() const noexcept { return std::max<size_t>(kTaskCost / std::max<size_t>(lines_per_task_ * task_cost_, 1), 1); }

 private:
  static constexpr size_t kTaskCost = 1 << 16;                               // taps
  static constexpr size_t kLongLineCost = 1 << 20, kLeastColumns = 1 << 10;  // parts of a line reread what lies under their ends

  size_t planes_;
  size_t lines_, columns_;
  size_t columns_per_task_;
  size_t parts_;  // of a line
  size_t task_cost_;
  size_t lines_per_task_;
  size_t tasks_per_plane_;
};

}  // namespace sardonyx::kernels
