#include "core/arena.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "core/interrupt.h"
#include "core/pages.h"
#include "sardonyx/error.h"

namespace sardonyx::core {

namespace {

constexpr size_t kMapped = size_t{1} << 20;  // larger blocks come from the system

std::byte* allocate(size_t bytes) {
  return static_cast<std::byte*>(bytes < kMapped ? std::aligned_alloc(kAlignment, bytes) : map_pages(bytes));
}

void give_back(std::byte* data, size_t bytes) noexcept {
  if (bytes < kMapped) {
    std::free(data);
  } else {
    unmap_pages(data, bytes);
  }
}

}  // namespace

Arena::~Arena() { give_back(data_, size_); }

Arena::Arena(Arena&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void Arena::reserve(size_t bytes) {
  if (bytes <= size_) return;
  if (bytes > SIZE_MAX - kAlignment) throw Error(ErrorCode::kResourceLimit, fmt::format("an arena of {} bytes cannot be had", bytes));
  const size_t rounded = roomy_bytes(bytes);
  std::byte* fresh = allocate(rounded);
  if (fresh == nullptr) throw Error(ErrorCode::kResourceLimit, fmt::format("no memory for an arena of {} bytes", rounded));
  give_back(data_, size_);
  if (rounded >= kManyPages) prefer_large_pages(fresh, rounded);
  data_ = fresh;
  size_ = rounded;
}

namespace {
size_t greatest_sum(std::span<const Lifetime> lifetimes) {
  int32_t steps = 0;
  for (const Lifetime& life : lifetimes) steps = std::max(steps, life.last + 1);
  std::vector<int64_t> change(static_cast<size_t>(steps) + 1, 0);
  for (const Lifetime& life : lifetimes) {
    change[static_cast<size_t>(life.first)] += static_cast<int64_t>(align_up(life.bytes));
    change[static_cast<size_t>(life.last) + 1] -= static_cast<int64_t>(align_up(life.bytes));
  }
  int64_t alive = 0, greatest = 0;
  for (const int64_t delta : change) greatest = std::max(greatest, alive += delta);
  return static_cast<size_t>(greatest);
}

bool overlap(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }
}  // namespace

Placement place(std::span<const Lifetime> lifetimes) {
  Placement result{std::vector<size_t>(lifetimes.size(), 0), 0, greatest_sum(lifetimes)};
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  std::vector<size_t> placed;  // by ascending offset
  for (const size_t item : order) {
    check_interrupt();
    const size_t bytes = align_up(lifetimes[item].bytes);
    size_t best = SIZE_MAX, best_gap = SIZE_MAX, end = 0;
    for (const size_t other : placed) {
      if (!overlap(lifetimes[item], lifetimes[other])) continue;
      const size_t offset = result.offsets[other];
      if (offset > end && offset - end >= bytes && offset - end < best_gap) {
        best = end;
        best_gap = offset - end;
      }
      end = std::max(end, offset + align_up(lifetimes[other].bytes));
    }
    result.offsets[item] = best != SIZE_MAX ? best : end;
    result.peak = std::max(result.peak, result.offsets[item] + bytes);
    const auto position = std::upper_bound(placed.begin(), placed.end(), result.offsets[item],
                                           [&](size_t offset, size_t other) { return offset < result.offsets[other]; });
    placed.insert(position, item);
  }
  return result;
}

}  // namespace sardonyx::core
