#include "core/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <map>
#include <mutex>
#include <system_error>

#include "sardonyx/error.h"

namespace sardonyx::core {

namespace {
[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what, int reason) {
  throw Error(ErrorCode::kIo, fmt::format("{}: {}: {}", path.string(), what, std::generic_category().message(reason)));
}

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) close(value);
  }
};

int64_t nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1000000000 + time.tv_nsec; }

FileIdentity identity_of(const struct stat& info) {
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .bytes = static_cast<uint64_t>(info.st_size),
          .modified_ns = nanoseconds(info.st_mtim),
          .changed_ns = nanoseconds(info.st_ctim)};
}

// The maps that are open, by where they begin.
struct OpenMaps {
  std::mutex mutex;
  std::map<const std::byte*, FileIdentity, std::less<>> files;
};
OpenMaps& open_maps() {
  static auto* maps = new OpenMaps;  // never destroyed: maps may outlive static objects
  return *maps;
}
}  // namespace

MappedFile::MappedFile(const std::byte* data, const FileIdentity& file) : data_(data), size_(file.bytes) {
  if (size_ == 0) return;
  const std::lock_guard lock(open_maps().mutex);
  open_maps().files.emplace(data, file);
}

std::optional<FilePlace> MappedFile::place(const void* data, size_t bytes) noexcept {
  const auto* begin = static_cast<const std::byte*>(data);
  OpenMaps& maps = open_maps();
  const std::lock_guard lock(maps.mutex);
  auto next = maps.files.upper_bound(begin);
  if (next == maps.files.begin()) return std::nullopt;
  const auto& [map_begin, file] = *--next;
  const auto offset = static_cast<size_t>(begin - map_begin);
  if (offset >= file.bytes || bytes > file.bytes - offset) return std::nullopt;
  return FilePlace{file, offset};
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  // Non-blocking, so that a fifo cannot make this hang.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.value < 0) fail(path, "cannot open", errno);
  struct stat info {};
  if (fstat(file.value, &info) != 0) fail(path, "cannot read its size", errno);
  if (!S_ISREG(info.st_mode)) throw Error(ErrorCode::kIo, fmt::format("{}: is not a regular file", path.string()));
  const size_t size = static_cast<size_t>(info.st_size);
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(nullptr, {}));
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (data == MAP_FAILED) fail(path, fmt::format("cannot map {} bytes", size), errno);
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), identity_of(info)));
}

MappedFile::~MappedFile() {
  if (size_ == 0) return;
  {
    const std::lock_guard lock(open_maps().mutex);
    open_maps().files.erase(data_);
  }
  munmap(const_cast<std::byte*>(data_), size_);
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  static std::atomic<unsigned> serial{0};
  for (int tries = 0; tries < 100; ++tries) {
    temporary_ = path_;
    temporary_ += fmt::format(".{}-{}.tmp", getpid(), serial.fetch_add(1));
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0 || errno != EEXIST) break;
  }
  if (descriptor_ < 0) fail(path_, "cannot write", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_, "cannot write", errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0 && errno != EINVAL) fail(path_, "cannot flush", errno);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "cannot replace", errno);
  close(descriptor_);
  descriptor_ = -1;
}

}  // namespace sardonyx::core
