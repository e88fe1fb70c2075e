// What the system is told about pages of memory.
#pragma once

#include <cstddef>

namespace sardonyx::core {

// Gives the whole pages of [data, data + bytes) back to the system if they lie in a MappedFile: they no longer count as resident, and are
// read again from the file if they are ever needed. Does nothing for other memory.
void give_back_pages(const void* data, size_t bytes) noexcept;

// Reads the pages of a MappedFile that hold [data, data + bytes) at once, not one by one when they are touched. Does nothing for other
// memory, and stops where the run on this thread is to end.
void fetch_pages(const void* data, size_t bytes) noexcept;

// What to allocate for so many bytes, a multiple of 64: of large blocks up to an eighth more, so that memory which one that grows a little
// at each step has left serves the next ones.
size_t roomy_bytes(size_t bytes) noexcept;

// Asks for large pages: memory of many megabytes is then faster to fill, to walk, and to give back.
inline constexpr size_t kManyPages = size_t{16} << 20;
void prefer_large_pages(void* data, size_t bytes) noexcept;

// Memory from the system and back to it, in whole pages; null: there is none. What the C library allocates has another fate: it keeps what
// is freed, the more the larger the blocks are that it has seen freed.
void* map_pages(size_t bytes) noexcept;
void unmap_pages(void* data, size_t bytes) noexcept;

// Writes to each page of memory that holds nothing yet, so that the system gives all of it now.
void make_resident(std::byte* data, size_t bytes) noexcept;

}  // namespace sardonyx::core
