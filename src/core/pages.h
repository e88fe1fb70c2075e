// What the system is told about pages of memory.
#pragma once

#include <cstddef>

namespace sardonyx::core {

// Gives the whole pages of [data, data + bytes) back to the system if they lie in a MappedFile: they no longer count as resident, and are
// read again from the file if they are ever needed. Does nothing for other memory.
void give_back_pages(const void* data, size_t bytes) noexcept;

// Reads the pages of a MappedFile that hold [data, data + bytes) at once, not one by one when they are touched. Does nothing for other
// memory.
void fetch_pages(const void* data, size_t bytes) noexcept;

// Asks for large pages: memory of many megabytes is then faster to fill and to walk.
void prefer_large_pages(void* data, size_t bytes) noexcept;

}  // namespace sardonyx::core
