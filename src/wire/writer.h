// Canonical writing of protobuf's wire format in two passes of the same code: a SizeCounter learns the length of every nested message, then
// a Writer emits the bytes without ever moving them. Both have the same members, so one template serves both passes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sardonyx::wire {

size_t varint_size(uint64_t value) noexcept;

class SizeCounter {
 public:
  void varint(uint32_t number, uint64_t value) { total_ += tag_size(number) + varint_size(value); }
  void fixed32(uint32_t number, uint32_t) { total_ += tag_size(number) + 4; }
  void bytes(uint32_t number, std::string_view payload) { total_ += tag_size(number) + varint_size(payload.size()) + payload.size(); }
  // A nested message or packed field: what `body` writes.
  template <class Body>
  void nested(uint32_t number, Body&& body) {
    const size_t slot = lengths_.size();
    lengths_.push_back(0);
    const size_t before = total_;
    body();
    lengths_[slot] = total_ - before;
    total_ += tag_size(number) + varint_size(lengths_[slot]);
  }
  // Without tag: entries of a packed field, and bytes to be repeated as they stood.
  void bare_varint(uint64_t value) { total_ += varint_size(value); }
  void bare_bytes(std::string_view bytes) { total_ += bytes.size(); }

  size_t total() const noexcept { return total_; }
  const std::vector<size_t>& lengths() const noexcept { return lengths_; }

 private:
  static size_t tag_size(uint32_t number) { return varint_size(uint64_t{number} << 3); }

  size_t total_ = 0;
  std::vector<size_t> lengths_;  // of nested messages, in the order in which they begin
};

class Writer {
 public:
  using Sink = std::function<void(std::string_view)>;

  // `lengths` come from a SizeCounter that saw the same calls. Bytes reach `sink` in order, large ones without being copied.
  Writer(const std::vector<size_t>& lengths, Sink sink) : lengths_(lengths), sink_(std::move(sink)) {}

  void varint(uint32_t number, uint64_t value);
  void fixed32(uint32_t number, uint32_t bits);
  void bytes(uint32_t number, std::string_view payload);
  template <class Body>
  void nested(uint32_t number, Body&& body) {
    begin(number);
    body();
  }
  void bare_varint(uint64_t value);
  void bare_bytes(std::string_view bytes);
  // Hands the rest to the sink. To be called once, at the end.
  void flush();

 private:
  void begin(uint32_t number);

  const std::vector<size_t>& lengths_;
  size_t next_length_ = 0;
  Sink sink_;
  std::string pending_;
};

}  // namespace sardonyx::wire
