// A bounded cursor over bytes of a file: every read is checked against the end. Integers are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sardonyx/error.h"

namespace sardonyx::checkpoint {

inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The caller guarantees sizeof(T) readable bytes.
template <class T>
T load_little(const std::byte* bytes) noexcept {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= std::to_integer<uint64_t>(bytes[i]) << (8 * i);
  return static_cast<T>(value);
}

class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  size_t position() const noexcept { return position_; }
  size_t remaining() const noexcept { return bytes_.size() - position_; }
  void seek(uint64_t position) {
    if (position > bytes_.size()) fail(position - bytes_.size());
    position_ = static_cast<size_t>(position);
  }

  std::span<const std::byte> take(uint64_t count) {
    if (count > remaining()) fail(count - remaining());
    const auto result = bytes_.subspan(position_, static_cast<size_t>(count));
    position_ += static_cast<size_t>(count);
    return result;
  }
  void skip(uint64_t count) { take(count); }

  template <class T>
  T read() {
    return load_little<T>(take(sizeof(T)).data());
  }

 private:
  [[noreturn]] void fail(uint64_t missing) const {
    throw Error(ErrorCode::kInvalidModel, "the " + std::string(what_) + " is truncated: at byte " + std::to_string(position_) + ", " +
                                              std::to_string(missing) + " more bytes are needed. Cure: fetch or save the file again");
  }

  std::span<const std::byte> bytes_;
  std::string_view what_;
  size_t position_ = 0;
};

}  // namespace sardonyx::checkpoint
