#include "core/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#include "core/mapped_file.h"

namespace sardonyx::core {
namespace {

constexpr size_t kLargePage = size_t{2} << 20;

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

void give_back_pages(const void* data, size_t bytes) noexcept {
  if (MappedFile::holds(data, bytes)) advise(data, bytes, page_bytes(), false, MADV_DONTNEED);
}

void fetch_pages(const void* data, size_t bytes) noexcept {
#ifdef MADV_POPULATE_READ
  if (MappedFile::holds(data, bytes)) advise(data, bytes, page_bytes(), true, MADV_POPULATE_READ);
#else
  if (MappedFile::holds(data, bytes)) advise(data, bytes, page_bytes(), true, MADV_WILLNEED);
#endif
}

void prefer_large_pages(void* data, size_t bytes) noexcept {
  if (bytes >= kLargePage) advise(data, bytes, kLargePage, false, MADV_HUGEPAGE);
}

}  // namespace sardonyx::core
