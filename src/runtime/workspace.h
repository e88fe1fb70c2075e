// The blocks of memory that runs compute in, shared by all plans of a session: as many as there are runs at the same time, each as large as
// the largest plan it served.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "core/arena.h"

namespace sardonyx::runtime {

struct Workspace {
  size_t index = 0;  // unique within its pool, small
  core::Arena arena;
};

class WorkspacePool {
 public:
  // A block for one run, given back when the lease ends.
  class Lease {
   public:
    Lease(WorkspacePool& pool, size_t bytes) : pool_(pool), workspace_(pool.acquire(bytes)) {}
    ~Lease() { pool_.release(workspace_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Workspace& operator*() const noexcept { return *workspace_; }
    Workspace* operator->() const noexcept { return workspace_; }

   private:
    WorkspacePool& pool_;
    Workspace* workspace_;
  };

  // `has_head_room`: a block that has become too small is replaced by one of half as much again as is needed, resident at once: runs of
  // changing shapes come to rest early, and from then on take the same memory. A block's first size is what the run needs.
  explicit WorkspacePool(bool has_head_room = false) noexcept : has_head_room_(has_head_room) {}

  // Frees the memory of idle workspaces.
  void trim();

 private:
  Workspace* acquire(size_t bytes);
  void release(Workspace* workspace) noexcept;
  void grow(core::Arena& arena, size_t bytes) const;

  const bool has_head_room_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> all_;
  std::vector<Workspace*> idle_;  // capacity for all: release() does not allocate
};

}  // namespace sardonyx::runtime
