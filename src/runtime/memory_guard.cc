#include "runtime/memory_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/arena.h"

namespace sardonyx::runtime {
namespace {

constexpr size_t kZone = 256;
constexpr std::byte kNan{0xFF};
constexpr std::byte kUntouched{0xC3};

void begin(std::byte* region, size_t bytes) noexcept {
  std::memset(region, static_cast<int>(kNan), bytes);
  std::memset(region + bytes, static_cast<int>(kUntouched), MemoryGuard::with_zone(bytes) - bytes);
}

void check_zone(const std::byte* region, size_t bytes, const std::string& what) {
  const std::byte* end = region + MemoryGuard::with_zone(bytes);
  const std::byte* touched = std::find_if(region + bytes, end, [](std::byte b) { return b != kUntouched; });
  if (touched == end) return;
  throw Error(ErrorCode::kInternal, fmt::format("a kernel wrote behind {}: byte {} of {}", what, touched - region, bytes));
}

}  // namespace

size_t MemoryGuard::with_zone(size_t bytes) noexcept { return core::align_up(bytes) + kZone; }

void MemoryGuard::add(size_t offset, size_t bytes, int32_t first, int32_t last, std::string what) {
  regions_.push_back({offset, bytes, first, last, std::move(what)});
}

void MemoryGuard::before_step(std::byte* arena, int32_t step) const noexcept {
  for (const Region& region : regions_) {
    if (region.first == step) begin(arena + region.offset, region.bytes);
  }
}

void MemoryGuard::after_step(std::byte* arena, int32_t step) const {
  for (const Region& region : regions_) {
    if (region.first > step || region.last < step) continue;
    check_zone(arena + region.offset, region.bytes, region.what);
    if (region.last == step) std::memset(arena + region.offset, static_cast<int>(kNan), region.bytes);
  }
}

Tensor GuardedResults::make(const Shape& shape, DType dtype) {
  if (dtype == DType::kString) return Tensor::empty(shape, dtype);
  const size_t bytes = storage_bytes(dtype, element_count(shape));
  Entry entry{Tensor::empty({static_cast<int64_t>(MemoryGuard::with_zone(bytes))}, DType::kUInt8), bytes};
  auto* block = static_cast<std::byte*>(entry.block.mutable_raw());
  begin(block, bytes);
  entries_.push_back(std::move(entry));
  return Tensor::from_blob(block, shape, dtype);
}

void GuardedResults::check() {
  const std::vector<Entry> entries = std::exchange(entries_, {});
  for (const Entry& entry : entries) check_zone(static_cast<const std::byte*>(entry.block.raw()), entry.bytes, "a result");
}

}  // namespace sardonyx::runtime
