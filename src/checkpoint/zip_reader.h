// A bounded reader of zip archives, strict: what two readers could understand differently is refused.
//
// Stored entries are used in place; deflated ones are inflated into a buffer of the declared size, which must come out exactly.
// Refused: encryption, several disks, other methods, entries that overlap or lie outside the file, names that repeat or lead elsewhere,
// local headers that contradict the central directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkpoint/tensor_view.h"

namespace sardonyx::checkpoint {

class ZipReader {
 public:
  struct Entry {
    std::string_view name;
    uint16_t flags = 0;
    uint16_t method = 0;
    uint32_t crc = 0;
    uint64_t stored_size = 0;
    uint64_t size = 0;
    uint64_t header_offset = 0;
    uint64_t data_offset = 0;
  };

  // Reads the directory and checks every entry's place.
  ZipReader(Bytes file, uint64_t max_entries);

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  const Entry* find(std::string_view name) const noexcept;

  // The entry's contents: a view on the file, or inflated within the budget.
  Bytes contents(const Entry& entry, bool verify_crc, CopyBudget& budget) const;

 private:
  struct Directory {
    uint64_t count;
    uint64_t offset;
    uint64_t end;
  };
  Directory find_directory() const;
  Directory find_directory64(uint64_t end_record, const Directory& small) const;
  void read_directory(const Directory& directory);
  void check_local_header(Entry& entry, uint64_t directory_offset) const;
  void check_overlap() const;

  Bytes file_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, size_t> index_;
};

}  // namespace sardonyx::checkpoint
