#include "core/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstdint>

#include "core/interrupt.h"
#include "core/mapped_file.h"

namespace sardonyx::core {
namespace {

constexpr size_t kLargePage = size_t{2} << 20;
constexpr size_t kUnit = 64, kRoomy = size_t{64} << 10;
constexpr size_t kFetchedAtOnce = size_t{8} << 20;

uintptr_t round_up(uintptr_t address, size_t unit) { return (address + unit - 1) / unit * unit; }

// madvise for the pages that lie wholly in the range, or (`outer`) for all that touch it.
void advise(const void* data, size_t bytes, size_t page, bool outer, int advice) noexcept {
  const auto begin = reinterpret_cast<uintptr_t>(data), end = begin + bytes;
  const uintptr_t first = outer ? begin / page * page : round_up(begin, page);
  const uintptr_t last = outer ? round_up(end, page) : end / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, advice);
}

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

size_t roomy_bytes(size_t bytes) noexcept {
  const size_t unit = bytes < kRoomy ? kUnit : std::bit_floor(bytes) / 8;
  return bytes > SIZE_MAX - unit ? bytes : (bytes + unit - 1) / unit * unit;
}

void give_back_pages(const void* data, size_t bytes) noexcept {
  if (MappedFile::holds(data, bytes)) advise(data, bytes, page_bytes(), false, MADV_DONTNEED);
}

void fetch_pages(const void* data, size_t bytes) noexcept {
  if (!MappedFile::holds(data, bytes)) return;
#ifdef MADV_POPULATE_READ
  constexpr int kAdvice = MADV_POPULATE_READ;
#else
  constexpr int kAdvice = MADV_WILLNEED;
#endif
  in_pieces(bytes, kFetchedAtOnce,
            [&](size_t begin, size_t count) { advise(static_cast<const std::byte*>(data) + begin, count, page_bytes(), true, kAdvice); });
}

void prefer_large_pages(void* data, size_t bytes) noexcept {
  if (bytes >= kLargePage) advise(data, bytes, kLargePage, false, MADV_HUGEPAGE);
}

void* map_pages(size_t bytes) noexcept {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return data == MAP_FAILED ? nullptr : data;
}

void unmap_pages(void* data, size_t bytes) noexcept { munmap(data, bytes); }

void make_resident(std::byte* data, size_t bytes) noexcept {
  const size_t step = page_bytes();
  for (size_t i = 0; i < bytes; i += step) data[i] = std::byte{0};
}

}  // namespace sardonyx::core
