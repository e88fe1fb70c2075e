// Files in memory: a read-only map of a whole file, and an atomic writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace sardonyx::core {

// A file's contents are the same while all of these are: nobody sets `changed_ns` at will.
struct FileIdentity {
  uint64_t device = 0, inode = 0, bytes = 0;
  int64_t modified_ns = 0, changed_ns = 0;
};

struct FilePlace {
  FileIdentity file;
  size_t offset = 0;
};

// A read-only, private map of a regular file. Truncating the file while it is mapped is the caller's fault, as for every map.
class MappedFile {
 public:
  // Throws Io if the path cannot be opened, is not a regular file, or cannot be mapped. An empty file gives an empty map.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  size_t size() const noexcept { return size_; }

  // Where in which open map the memory lies; nullopt: in none.
  static std::optional<FilePlace> place(const void* data, size_t bytes) noexcept;
  // Whether the memory is part of a map that is open now.
  static bool holds(const void* data, size_t bytes) noexcept { return place(data, bytes).has_value(); }

 private:
  MappedFile(const std::byte* data, const FileIdentity& file);
  const std::byte* data_;
  size_t size_;
};

// Writes to a temporary file in the same folder; commit() flushes and renames it over `path`. Destroyed without commit, nothing is left.
// All members throw Io, naming the path.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view bytes) { write(std::as_bytes(std::span(bytes.data(), bytes.size()))); }
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

}  // namespace sardonyx::core
