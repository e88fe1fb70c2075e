// Writes a zip archive of stored entries, aligned as torch aligns them, with zip64 records where sizes ask for them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/mapped_file.h"

namespace sardonyx::checkpoint {

class ZipWriter {
 public:
  explicit ZipWriter(core::AtomicFile& file) : file_(file) {}

  // The entry's data starts at a multiple of 64 bytes.
  void add(const std::string& name, std::span<const std::byte> contents);
  void add(const std::string& name, std::string_view contents) { add(name, std::as_bytes(std::span(contents.data(), contents.size()))); }
  // Writes the directory; the archive is complete then.
  void finish();

 private:
  struct Entry {
    std::string name;
    uint32_t crc;
    uint64_t size;
    uint64_t offset;
  };
  void write(std::string_view bytes);

  core::AtomicFile& file_;
  uint64_t position_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace sardonyx::checkpoint
