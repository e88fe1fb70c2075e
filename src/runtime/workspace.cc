#include "runtime/workspace.h"

#include <algorithm>

#include "core/pages.h"

namespace sardonyx::runtime {

Workspace* WorkspacePool::acquire(size_t bytes) {
  Workspace* workspace = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      auto fresh = std::make_unique<Workspace>();
      fresh->index = all_.size();
      all_.push_back(std::move(fresh));
      idle_.reserve(all_.size());
      workspace = all_.back().get();
    } else {
      // The smallest that is large enough, else the largest; of equal ones the oldest.
      const auto better = [&](const Workspace* a, const Workspace* b) {
        const bool a_fits = a->arena.size() >= bytes, b_fits = b->arena.size() >= bytes;
        if (a_fits != b_fits) return a_fits;
        if (a->arena.size() != b->arena.size()) return a_fits ? a->arena.size() < b->arena.size() : a->arena.size() > b->arena.size();
        return a->index < b->index;
      };
      const auto best = std::ranges::min_element(idle_, better);
      workspace = *best;
      idle_.erase(best);
    }
  }
  try {
    if (workspace->arena.size() < bytes) grow(workspace->arena, bytes);
  } catch (...) {
    release(workspace);
    throw;
  }
  return workspace;
}

void WorkspacePool::grow(core::Arena& arena, size_t bytes) const {
  const size_t room = has_head_room_ && arena.size() > 0 ? bytes / 2 : 0;
  arena = core::Arena();  // before the larger one is allocated
  arena.reserve(bytes > SIZE_MAX - room ? bytes : bytes + room);
  if (room > 0) core::make_resident(arena.data(), arena.size());
}

void WorkspacePool::release(Workspace* workspace) noexcept {
  const std::lock_guard lock(mutex_);
  idle_.push_back(workspace);
}

void WorkspacePool::trim() {
  const std::lock_guard lock(mutex_);
  for (Workspace* workspace : idle_) workspace->arena = core::Arena();
}

}  // namespace sardonyx::runtime
