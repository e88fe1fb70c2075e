#include "core/memory_budget.h"

#include <fmt/format.h>

#include "sardonyx/error.h"

namespace sardonyx::core {

namespace {
thread_local const MemoryScope* current_scope = nullptr;

std::string megabytes(size_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) * 1e-6); }

Error refusal(size_t bytes, size_t taken, size_t limit) {
  const size_t needed = bytes > SIZE_MAX - taken ? SIZE_MAX : taken + bytes;
  return Error(
      ErrorCode::kResourceLimit,
      fmt::format("it needs {}, and the run holds {} by then; max_memory is {}. Feed less at once, or raise max_memory to at least "
                  "{} bytes",
                  megabytes(bytes), megabytes(taken), megabytes(limit), needed));
}
}  // namespace

void MemoryBudget::take(size_t bytes) {
  size_t taken = taken_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ || taken > limit_ - bytes) throw refusal(bytes, taken, limit_);
  } while (!taken_.compare_exchange_weak(taken, taken + bytes, std::memory_order_relaxed));
}

MemoryScope::MemoryScope(std::shared_ptr<MemoryBudget> budget) noexcept : budget_(std::move(budget)), outer_(current_scope) {
  current_scope = this;
}

MemoryScope::~MemoryScope() { current_scope = outer_; }

std::shared_ptr<MemoryBudget> MemoryScope::current() noexcept { return current_scope ? current_scope->budget_ : nullptr; }

}  // namespace sardonyx::core
