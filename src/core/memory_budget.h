// A limit on the memory that the values of a run take.
//
// Under a MemoryScope each tensor that its thread makes counts until its memory is freed, wherever that is, and so does what a MemoryCharge
// stands for. What goes beyond the limit is refused before it is allocated.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace sardonyx::core {

class MemoryBudget {
 public:
  explicit MemoryBudget(size_t limit) noexcept : limit_(limit) {}

  // Throws ResourceLimit, telling the figures, where less than that is left.
  void take(size_t bytes);
  void give_back(size_t bytes) noexcept { taken_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }

 private:
  const size_t limit_;
  std::atomic<size_t> taken_{0};
};

// Makes `budget` (null: none) the one that the calling thread's tensors count against while the scope lives.
class MemoryScope {
 public:
  explicit MemoryScope(std::shared_ptr<MemoryBudget> budget) noexcept;
  ~MemoryScope();
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

  static std::shared_ptr<MemoryBudget> current() noexcept;  // null: nothing is counted

 private:
  std::shared_ptr<MemoryBudget> budget_;
  const MemoryScope* outer_;
};

// Bytes that are taken from the current budget, if there is one, while this lives. Throws as MemoryBudget::take does.
class MemoryCharge {
 public:
  explicit MemoryCharge(size_t bytes) : budget_(MemoryScope::current()), bytes_(bytes) {
    if (budget_) budget_->take(bytes_);
  }
  ~MemoryCharge() {
    if (budget_) budget_->give_back(bytes_);
  }
  MemoryCharge(const MemoryCharge&) = delete;
  MemoryCharge& operator=(const MemoryCharge&) = delete;

 private:
  std::shared_ptr<MemoryBudget> budget_;
  size_t bytes_;
};

}  // namespace sardonyx::core
