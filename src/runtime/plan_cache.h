// The plans of a program that were used last. May be called from several threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/plan.h"

namespace sardonyx::runtime {

class PlanCache {
 public:
  explicit PlanCache(size_t capacity) : capacity_(capacity) {}

  // The plan with a key for which fits(key) holds, or null.
  template <class Fits>
  std::shared_ptr<const Plan> find(const Fits& fits) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) { return fits(entry.plan->key()); });
    if (found == entries_.end()) return nullptr;
    found->last_use = ++uses_;
    return found->plan;
  }

  // Another thread may have made the same plan meanwhile: that one is returned then, so that both share its frames.
  std::shared_ptr<const Plan> remember(std::shared_ptr<const Plan> plan) {
    const std::lock_guard lock(mutex_);
    for (Entry& entry : entries_) {
      if (entry.plan->key() == plan->key()) return entry.plan;
    }
    if (entries_.size() >= capacity_) entries_.erase(std::ranges::min_element(entries_, {}, &Entry::last_use));
    entries_.push_back({plan, ++uses_});
    return plan;
  }

  size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    std::shared_ptr<const Plan> plan;
    uint64_t last_use = 0;
  };
  size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  uint64_t uses_ = 0;
};

}  // namespace sardonyx::runtime
