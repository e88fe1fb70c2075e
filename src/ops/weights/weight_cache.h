// A file of packed weights that sessions, of any process, map instead of packing them again: SessionOptions::packed_weights_cache.
//
// An entry is found by what it was made of, the constant's type, shape and elements, and by its layout, which names the kernels' blocking
// on this machine. Where a constant lies in a mapped file, that file's identity (device, inode, size, times) and the place in it stand for
// its elements, so that they need not be read; else they are hashed.
//
// A file that is damaged, of another version or from another kind of machine is as if it were not there, and is replaced. No offset in it
// is trusted. The packed elements themselves are: who can write the file decides what the model computes, as with the model itself.
//
//   header, 64 bytes  magic, version, count of entries, bytes of the file, byte order, checksum of the table
//   table             64 bytes for each entry: keys, offset, bytes
//   data              each entry at a multiple of 64
// Numbers are in the machine's byte order, which the header tells.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/mapped_file.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

// As it stands in the file.
struct PackedEntry {
  std::array<uint64_t, 2> content;  // hash of the constant's type, shape and elements
  std::array<uint64_t, 2> layout;   // hash of the layout's name
  std::array<uint64_t, 2> source;   // hash of the identity of the file and the place of the constant in it; 0 0: none
  uint64_t offset;
  uint64_t bytes;
};

// The entries of a file, each of which lies within it; nullopt for anything that is not a sound file of this version.
std::optional<std::vector<PackedEntry>> read_packed_entries(std::span<const std::byte> file);

class WeightCache {
 public:
  using Data = std::shared_ptr<const std::byte>;

  // Throws Io where there is no sound file at `path` and none can be made there.
  explicit WeightCache(std::filesystem::path path);

  // The packed form of a constant, `bytes` long and aligned to 64; null if it is not there. `layout` names how it is packed.
  Data find(const Tensor& plain, std::string_view layout, size_t bytes);
  // To be written by save().
  void add(const Tensor& plain, std::string_view layout, Data packed, size_t bytes);
  // Replaces the file if there are new entries. Those of the old one are kept, unless what this session does not use would be most of the
  // file. Throws Io; it is not tried again until there are more entries.
  void save();

 private:
  struct Kept {
    PackedEntry entry;
    Data data;
    bool used = false;
  };
  Kept* search(const PackedEntry& key, bool by_source);
  void drop_unused();

  std::filesystem::path path_;
  std::mutex mutex_;
  std::vector<Kept> entries_;
  std::atomic<bool> is_changed_{false};
};

}  // namespace sardonyx::ops
